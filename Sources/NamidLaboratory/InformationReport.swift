import NamidAttacks
import NamidEvaluation
import NamidInformation
import NamidSettings

/// Mutual information of labels and predicted classes, in nats.
package struct LabelInformation: Encodable, Hashable, Sendable {
  /// The observed table's own; biased upwards.
  package var plugIn: Double
  /// After Miller and Madow's correction.
  package var corrected: Double
  /// How many samples were counted.
  package var count: Int

  enum CodingKeys: String, CodingKey {
    case corrected, count
    case plugIn = "plug_in"
  }

  /// Counts samples.
  package init(labels: [Int], predictions: [Int]) {
    let information = PlugInInformation(labels, predictions)
    plugIn = information.plugIn
    corrected = information.corrected
    count = information.count
  }
}

/// Everything that decides a figure of mutual information, and nothing else.
struct InformationSpecification: Encodable {
  /// The digest of data, network, ball, attack settings and seed.
  var evaluation: String
  /// A digest of the estimators' weights; nil where none have read.
  var estimators: String?
  var leak: Bool?
  var selection: SelectionRule
  /// Samples per score matrix.
  var batchSize: Int
  /// Which samples stand together.
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

/// What one attack does to the mutual information of a network's outputs.
package struct AttackInformation: Encodable, Sendable {
  /// How the attacked images came about.
  package var attack: AttackRecord
  /// Samples that Equation 6 selects: right unattacked, wrong attacked.
  package var selected: SampleShare
  /// Natural and adversarial MI by group; nil without estimators.
  package var groups: [GroupSummary]?
  /// I(Y; Ŷ) unattacked.
  package var labelsClean: LabelInformation
  /// I(Y; Ŷ) attacked.
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
  ///   - attack: How the attacked images came about.
  ///   - outcomes: What the network says of each sample.
  ///   - values: What the estimators read; nil without.
  ///   - estimators: Which estimators.
  ///   - selection: How logits became labels in Equation 6.
  ///   - batches: Which samples stood together.
  /// - Throws: What encoding the specification throws.
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

/// Mutual information of a network's outputs, unattacked and under attacks; all in nats.
package struct InformationReport: Encodable, Sendable {
  /// What a report says of how it was measured.
  package struct Setting: Encodable, Sendable {
    /// The images.
    package var dataset: EvaluationReport.Data
    /// The network.
    package var model: EvaluationReport.Model
    /// The attacker's ball.
    @EvaluationReport.Threat package var threat: ThreatModel
    /// Which samples shared a score matrix.
    package var batches: InformationBatches.Record
    /// Seed of all random numbers.
    package var seed: Int
    /// Always nats.
    package var unit = "nats"

    /// The setting of an evaluation.
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

  /// How it was measured.
  package var setting: Setting
  /// Which estimators have read; nil without.
  package var estimators: EstimatorIdentity?
  /// How logits became labels in Equation 6.
  package var selection: SelectionRule
  /// What is unusual about the estimators.
  package var remarks: [String]
  /// One entry per attack, in order.
  package var attacks: [AttackInformation]

  /// A report.
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
