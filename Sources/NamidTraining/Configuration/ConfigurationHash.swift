import NamidDefenses
import NamidEvaluation
import NamidFiles
import NamidSettings
import NamidTorch

extension RunConfiguration {
  /// A digest of all that must stay the same when a run is resumed.
  public func resumptionHash() throws -> String {
    var copy = self
    copy.training.keep = 0
    copy.training.checkpointEvery = 1
    var tree = try JSONValue(encoding: copy)
    if initial == nil, case .object(var members) = tree {
      members["initial"] = nil
      tree = .object(members)
    }
    for (group, key, value) in Self.laterSettings {
      tree = tree.without(group, key, where: value)
    }
    return try specificationHash(tree)
  }

  /// Settings that earlier versions did not have, with the value that stands for what those did.
  static let laterSettings: [(group: String, key: String, value: JSONValue)] =
    [
      ("training", "checkpointEvery", 1), ("training", "validateEvery", 1),
      ("training", "graphs", .string(GraphUse.off.rawValue)),
      ("optimizer", "clipNorm", .null), ("schedule", "rampEpochs", 0),
      ("namid", "mean", .string(NAMID.Mean.selected.rawValue)),
    ]
    + [NAMID.Settings.key, WMIM.Settings.key].flatMap { group in
      [
        (group, "scorePrecision", .string(Precision.float32.rawValue)),
        (group, "balance", .string(Balance.none.rawValue)), (group, "balanceRatio", 0.5),
        (group, "balanceOn", .string(BalancePlace.logits.rawValue)),
      ]
    }

  /// The precision of those products of a step's gradient that are not in bfloat16: TF32 where the network's or the
  /// estimators' may be.
  var gradientPrecision: Precision {
    let all = [
      training.precision, settings[NAMID.Settings.self].scorePrecision,
      settings[WMIM.Settings.self].scorePrecision,
    ]
    return all.contains(.tf32) ? .tf32 : .float32
  }

  /// Images at once in validation: what suits the device, but not many more than training has room for.
  func validationBatch(_ device: Device) -> Int {
    let usual = Evaluator.batchSize(on: device)
    return min(usual, max(training.batchSize, Evaluator.batchSize(on: .cpu)))
  }
}

extension JSONValue {
  /// Copies this tree without a member of a group, where it has a certain value.
  func without(_ group: String, _ key: String, where value: JSONValue) -> JSONValue {
    guard case .object(var whole) = self, case .object(var members)? = whole[group],
      members[key] == value
    else { return self }
    members[key] = nil
    whole[group] = .object(members)
    return .object(whole)
  }
}
