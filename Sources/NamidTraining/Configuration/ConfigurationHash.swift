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
    // Earlier versions did this without a setting for it.
    return try specificationHash(
      JSONValue(encoding: copy)
        .without("training", "checkpointEvery", where: 1)
        .without("training", "validateEvery", where: 1)
        .without("training", "graphs", where: .string(GraphUse.off.rawValue))
        .without("namid", "scorePrecision", where: .string(Precision.float32.rawValue))
        .without("wmim", "scorePrecision", where: .string(Precision.float32.rawValue)))
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
