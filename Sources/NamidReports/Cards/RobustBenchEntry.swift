import Foundation
import NamidData
import NamidEvaluation
import NamidFiles
import NamidPages
import NamidSettings
import NamidTraining

/// A run's line for a leaderboard, as RobustBench keeps one in `model_info/<dataset>/<threat>/<Name>.json`.
///
/// Percentages are texts with two decimals, as there; a value that is not measured or not known is null. Facts that
/// such a line has no key for are under `namid`.
struct RobustBenchEntry {
  static let fileName = "robustbench.json"
  /// The keys whose values a person may have filled in by hand; they are kept.
  private static let handFilled = [
    "link", "name", "authors", "additional_data", "venue", "reported",
  ]

  /// The keys in RobustBench's order, then `namid`.
  let tree: JSONObject

  /// Makes the line of a run, with the hand-filled values of the line that it replaces.
  init(_ facts: CardFacts, replacing earlier: JSONObject? = nil) {
    let headline = HeadlineMeasurement(facts)
    let percent = { (share: Double?) -> JSONValue in
      share.map { .string(twoDigitPercent($0)) } ?? .null
    }
    var tree: JSONObject = [
      "link": .null, "name": .string("\(facts.architecture), \(facts.trainingName)"),
      "authors": .null,
      "additional_data": Self.additionalData(facts), "number_forward_passes": 1,
      "dataset": .string(facts.source?.name ?? facts.configuration.data.name), "venue": .null,
      "architecture": .string(facts.architecture),
      "eps": .string(facts.configuration.threat.epsilon.description),
      "clean_acc": percent(headline?.report.cleanAccuracy), "reported": .null,
      "autoattack_acc": percent(headline?.autoAttack?.robustAccuracy),
      "namid": Self.details(facts, headline),
    ]
    for key in Self.handFilled {
      guard let value = earlier?[key], value != .null, value.text().utf8.count <= 4000 else {
        continue
      }
      tree[key] = value
    }
    self.tree = tree
  }

  /// Returns false where only images of a known data set were used; null where the images behind weights or estimators,
  /// or of a user's own data set, are not known.
  private static func additionalData(_ facts: CardFacts) -> JSONValue {
    let isKnown =
      !facts.isImported && facts.configuration.estimators == nil
      && facts.catalog.datasets.contains { $0.name == facts.configuration.data.name }
    return isKnown ? false : .null
  }

  private static func details(
    _ facts: CardFacts, _ headline: HeadlineMeasurement?
  ) -> JSONValue {
    var details: JSONObject = [
      "note": "null: not measured, or not known",
      "threat": ["linf": "Linf", "l2": "L2"][facts.configuration.threat.norm.rawValue] ?? .null,
      "run": .string(facts.name),
      "imported": .bool(facts.isImported),
      "parameters": facts.parameters.map(JSONValue.int) ?? .null,
      "epochs": .int(facts.latest.epoch),
      "configuration_hash": .string(facts.latest.configurationHash),
      "data_fingerprint": facts.latest.dataFingerprint.map(JSONValue.string) ?? .null,
      "training": facts.trainingLine.map(JSONValue.string) ?? .null,
      "checkpoint": .null, "data": .null, "test_images": .null,
      "test_images_of": facts.published(.test).map(JSONValue.int) ?? .null,
      "clean_ci95": .null, "spec_hash": .null, "autoattack": .null,
    ]
    if let report = headline?.report {
      details["checkpoint"] = .string(report.model.checkpoint)
      details["data"] = .string(report.dataset.name)
      details["test_images"] = .int(report.dataset.count)
      details["clean_ci95"] = .array(report.cleanShare.interval.ends.map(JSONValue.double))
      details["spec_hash"] = .string(report.specificationHash)
      details["autoattack"] = headline?.autoAttack.map { settled($0, in: report) } ?? .null
    }
    details["all_spec_hashes"] = .array(
      facts.evaluations.map { .string($0.specificationHash) })
    return .object(details)
  }

  private static func settled(_ attack: AttackReport, in report: EvaluationReport) -> JSONValue {
    [
      "images": .int(attack.total), "robust": .int(attack.robust),
      "ci95": .array(Share(attack.robust, of: attack.total).interval.ends.map(JSONValue.double)),
      "norm": .string(report.threat.norm.rawValue),
      "epsilon": .string(report.threat.epsilon.description),
      "seed": .int(report.seed), "fallback": attack.fallback.map(JSONValue.string) ?? .null,
      "settings": attack.settings,
    ]
  }
}
