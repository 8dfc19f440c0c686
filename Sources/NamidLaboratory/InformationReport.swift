import NamidAttacks
import NamidEvaluation
import NamidInformation
import NamidSettings

/// The values that decide a figure of mutual information, and no others.
struct InformationSpecification: Encodable {
  /// The digest of data, network, ball, attack settings and seed.
  var evaluation: String
  /// A digest of the estimators' weights; nil without estimators.
  var estimators: String?
  var leak: Bool?
  var selection: SelectionRule
  /// The number of samples per score matrix.
  var batchSize: Int
  /// A digest of the members of each batch.
  var batches: String

  static func hash(
    _ attacked: AttackRecord, estimators: EstimatorIdentity?, selection: SelectionRule = .argmax,
    batches: InformationBatches.Record
  ) throws -> String {
    try specificationHash(
      InformationSpecification(
        evaluation: attacked.evaluationHash, estimators: estimators?.fingerprint,
        leak: estimators?.leak, selection: selection, batchSize: batches.size,
        batches: batches.digest))
  }
}

/// The mutual information of a network's outputs under one attack.
package struct AttackInformation: Encodable, Sendable {
  package var attack: AttackRecord
  /// The share of samples that Equation 6 selects: right unattacked, wrong attacked.
  package var selected: SampleShare
  /// The natural and adversarial MI by group; nil without estimators.
  package var groups: [GroupSummary]?
  /// The information I(Y; Ŷ) for unattacked images.
  package var labelsClean: PlugInInformation
  /// The information I(Y; Ŷ) for attacked images.
  package var labelsAttacked: PlugInInformation
  /// A digest of everything that decides these figures.
  package var specificationHash: String

  enum CodingKeys: String, CodingKey {
    case attack, selected, groups
    case labelsClean = "label_information_clean"
    case labelsAttacked = "label_information_attacked"
    case specificationHash = "spec_hash"
  }

  /// Sums up one attack; values and estimators are nil where only labels were measured.
  package init(
    _ attack: AttackRecord, outcomes: SampleOutcomes, values: InformationValues?,
    estimators: EstimatorIdentity?, selection: SelectionRule, batches: InformationBatches.Record
  ) throws {
    self.attack = attack
    selected = SampleShare(outcomes.isSelected.count(where: \.self), of: outcomes.count)
    groups = values.map { GroupSummary.all($0, outcomes) }
    labelsClean = PlugInInformation(outcomes.label, outcomes.clean)
    labelsAttacked = PlugInInformation(outcomes.label, outcomes.attacked)
    specificationHash = try InformationSpecification.hash(
      attack, estimators: estimators, selection: selection, batches: batches)
  }
}

/// A report on the mutual information of a network's outputs, unattacked and under attacks, in nats.
package struct InformationReport: Encodable, Sendable {
  /// The setting of a measurement, for reports.
  package struct Setting: Encodable, Sendable {
    package var dataset: EvaluationReport.Data
    package var model: EvaluationReport.Model
    @EvaluationReport.Threat package var threat: ThreatModel
    package var batches: InformationBatches.Record
    package var seed: Int
    package var unit = "nats"

    /// Takes the setting from the report of an evaluation.
    package init(_ report: EvaluationReport, batches: InformationBatches.Record) {
      dataset = report.dataset
      model = report.model
      threat = report.threat
      self.batches = batches
      seed = report.seed
    }

    /// The setting in one line.
    package var summary: String {
      "\(dataset.name), \(dataset.count) \(dataset.split) images; \(threat.norm.rawValue) ε "
        + "\(threat.epsilon); \(model.name), \(model.checkpoint)"
    }

    /// The batches in one line.
    package var batchSummary: String {
      "\(batches.count) score \(batches.count == 1 ? "matrix" : "matrices") of \(batches.size) samples, "
        + "\(batches.order); estimates depend on both"
    }
  }

  package var setting: Setting
  package var estimators: EstimatorIdentity?
  /// The rule by which logits became labels in Equation 6.
  package var selection: SelectionRule
  /// Remarks about unusual properties of the estimators.
  package var remarks: [String]
  /// The mutual information under each attack, in order.
  package var attacks: [AttackInformation]

  package init(
    setting: Setting, estimators: EstimatorIdentity?, selection: SelectionRule, remarks: [String],
    attacks: [AttackInformation]
  ) {
    self.setting = setting
    self.estimators = estimators
    self.selection = selection
    self.remarks = remarks
    self.attacks = attacks
  }
}
