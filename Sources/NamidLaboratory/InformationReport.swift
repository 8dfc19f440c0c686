import NamidAttacks
import NamidEvaluation
import NamidInformation
import NamidSettings

/// The mutual information of labels and predicted classes, in nats.
package struct LabelInformation: Encodable, Hashable, Sendable {
  /// The value of the observed table of counts; biased upwards.
  package var plugIn: Double
  /// The value after Miller and Madow's correction.
  package var corrected: Double
  /// The number of samples counted.
  package var count: Int

  enum CodingKeys: String, CodingKey {
    case corrected, count
    case plugIn = "plug_in"
  }

  /// Computes the information of samples.
  package init(labels: [Int], predictions: [Int]) {
    let information = PlugInInformation(labels, predictions)
    plugIn = information.plugIn
    corrected = information.corrected
    count = information.count
  }
}

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

  init(
    _ attacked: AttackRecord, estimators: EstimatorIdentity?, selection: SelectionRule,
    batches: InformationBatches.Record
  ) {
    evaluation = attacked.evaluationHash
    self.estimators = estimators?.fingerprint
    leak = estimators?.leak
    self.selection = selection
    batchSize = batches.size
    self.batches = batches.digest
  }

  func hash() throws -> String { try specificationHash(self) }
}

/// The mutual information of a network's outputs under one attack.
package struct AttackInformation: Encodable, Sendable {
  /// The record of the attack.
  package var attack: AttackRecord
  /// The share of samples that Equation 6 selects: right unattacked, wrong attacked.
  package var selected: SampleShare
  /// The natural and adversarial MI by group; nil without estimators.
  package var groups: [GroupSummary]?
  /// The information I(Y; Ŷ) for unattacked images.
  package var labelsClean: LabelInformation
  /// The information I(Y; Ŷ) for attacked images.
  package var labelsAttacked: LabelInformation
  /// A digest of everything that decides these figures.
  package var specificationHash: String

  enum CodingKeys: String, CodingKey {
    case attack, selected, groups
    case labelsClean = "label_information_clean"
    case labelsAttacked = "label_information_attacked"
    case specificationHash = "spec_hash"
  }

  /// Sums up one attack.
  ///
  /// - Parameters:
  ///   - attack: The record of the attack.
  ///   - outcomes: The network's predictions for each sample.
  ///   - values: The values that the estimators read; nil without estimators.
  ///   - estimators: The identity of the estimators; nil without.
  ///   - selection: The rule by which logits became labels in Equation 6.
  ///   - batches: The record of the batches.
  /// - Throws: An error of encoding the specification.
  package init(
    _ attack: AttackRecord, outcomes: SampleOutcomes, values: InformationValues?,
    estimators: EstimatorIdentity?, selection: SelectionRule, batches: InformationBatches.Record
  ) throws {
    self.attack = attack
    selected = SampleShare(outcomes.isSelected.count(where: \.self), of: outcomes.count)
    groups = values.map { GroupSummary.all($0, outcomes) }
    labelsClean = LabelInformation(labels: outcomes.label, predictions: outcomes.clean)
    labelsAttacked = LabelInformation(labels: outcomes.label, predictions: outcomes.attacked)
    specificationHash = try InformationSpecification(
      attack, estimators: estimators, selection: selection, batches: batches
    ).hash()
  }
}

/// A report on the mutual information of a network's outputs, unattacked and under attacks, in nats.
package struct InformationReport: Encodable, Sendable {
  /// The setting of a measurement, for reports.
  package struct Setting: Encodable, Sendable {
    /// The images.
    package var dataset: EvaluationReport.Data
    /// The network.
    package var model: EvaluationReport.Model
    /// The attacker's ball.
    @EvaluationReport.Threat package var threat: ThreatModel
    /// The record of the batches.
    package var batches: InformationBatches.Record
    /// The seed of all random numbers.
    package var seed: Int
    /// The unit of all values, always nats.
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

  /// The setting of the measurement.
  package var setting: Setting
  /// The identity of the estimators; nil without.
  package var estimators: EstimatorIdentity?
  /// The rule by which logits became labels in Equation 6.
  package var selection: SelectionRule
  /// Remarks about unusual properties of the estimators.
  package var remarks: [String]
  /// The mutual information under each attack, in order.
  package var attacks: [AttackInformation]

  /// Creates a report.
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
