import NamidEvaluation
import NamidInformation
import NamidSettings
import NamidTorch

/// The proof of concept of the paper's Appendix B and Figure 2: one estimator, trained on natural images and their
/// outputs, reads three pairings of image and output.
package struct ProofOfConceptReport: Encodable, Sendable {
  /// The three readings of one attack, over all samples, in nats.
  package struct Row: Encodable, Sendable {
    package var attack: AttackRecord
    /// The standard MI of natural samples I(x; h(x)), which is their natural MI.
    package var natural: MeanInterval
    /// The standard MI of adversarial samples, I(x̃; h(x̃)).
    package var standard: MeanInterval
    /// The MI of natural image and adversarial output, I(x; h(x̃)).
    package var crossed: MeanInterval
    /// The loss of standard MI under attack, I(x; h(x)) − I(x̃; h(x̃)), sample by sample.
    package var loss: MeanInterval
    /// The shaded area of Figure 2, I(x̃; h(x̃)) − I(x; h(x̃)), sample by sample.
    package var confused: MeanInterval
    /// The share of samples with I(x̃; h(x̃)) < I(x; h(x)).
    package var losing: SampleShare
    /// The share of samples with I(x; h(x̃)) < I(x̃; h(x̃)).
    package var confusing: SampleShare
    /// The lowest of all readings of this attack, which the paper moves to 0.
    package var lowest: Double
    /// The information I(Y; Ŷ) for unattacked images.
    package var labelsClean: PlugInInformation
    /// The information I(Y; Ŷ) for attacked images.
    package var labelsAttacked: PlugInInformation
    /// A digest of everything that decides these figures.
    package var specificationHash: String

    enum CodingKeys: String, CodingKey {
      case attack, loss, losing, confused, confusing, lowest
      case natural = "natural_input_natural_output"
      case standard = "adversarial_input_adversarial_output"
      case crossed = "natural_input_adversarial_output"
      case labelsClean = "label_information_clean"
      case labelsAttacked = "label_information_attacked"
      case specificationHash = "spec_hash"
    }
  }

  package var setting: InformationReport.Setting
  package var estimator: EstimatorIdentity
  /// The training of the network in words; the paper's network is trained naturally.
  package var training: String
  /// Remarks about unusual properties of the measurement.
  package var remarks: [String]
  /// The readings of each attack, in order.
  package var rows: [Row]
  /// The lowest of all readings: the paper subtracts it before it takes means.
  package var offset: Double

  enum CodingKeys: String, CodingKey {
    case setting, estimator, training, remarks, offset
    case rows = "attacks"
  }

  /// Creates a report and computes the offset.
  package init(
    setting: InformationReport.Setting, estimator: EstimatorIdentity, training: String,
    remarks: [String], rows: [Row]
  ) {
    self.setting = setting
    self.estimator = estimator
    self.training = training
    self.remarks = remarks
    self.rows = rows
    offset = rows.map(\.lowest).min() ?? 0
  }
}

extension ProofOfConceptReport.Row {
  /// Sums up one attack from the values of I(x; h(x)), I(x̃; h(x̃)) and I(x; h(x̃)) per sample.
  package init(
    _ attack: AttackRecord, outcomes: SampleOutcomes, readings: [[Double]],
    estimator: EstimatorIdentity, batches: InformationBatches.Record
  ) throws {
    precondition(readings.count == 3, "three readings, not \(readings.count)")
    let (natural, standard, crossed) = (readings[0], readings[1], readings[2])
    func minus(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 - $1 } }
    let (losses, confusion) = (minus(natural, standard), minus(standard, crossed))
    self.attack = attack
    self.natural = MeanInterval(natural)
    self.standard = MeanInterval(standard)
    self.crossed = MeanInterval(crossed)
    loss = MeanInterval(losses)
    confused = MeanInterval(confusion)
    losing = SampleShare(losses.count { $0 > 0 }, of: losses.count)
    confusing = SampleShare(confusion.count { $0 > 0 }, of: confusion.count)
    lowest = readings.joined().min() ?? 0
    labelsClean = PlugInInformation(outcomes.label, outcomes.clean)
    labelsAttacked = PlugInInformation(outcomes.label, outcomes.attacked)
    specificationHash = try InformationSpecification.hash(
      attack, estimators: estimator, batches: batches)
  }
}

extension InformationMeter {
  /// Measures I(x; h(x)), I(x̃; h(x̃)) and I(x; h(x̃)) of every sample by one reader.
  ///
  /// - Throws: `LaboratoryError.notFinite` with the name of the reader.
  package func pairings(
    attacked: Tensor, reader: PatternReader, named name: String, progress: (Int) -> Void = { _ in }
  ) throws(LaboratoryError) -> (outcomes: SampleOutcomes, readings: [[Double]]) {
    let (outcomes, columns) = measure(attacked: attacked, progress: progress) { batch in
      let natural = reader.read(batch.images, [batch.cleanLogits, batch.attackedLogits])
      let standard = reader.read(batch.attacked, [batch.attackedLogits])
      return [natural[0], standard[0], natural[1]]
    }
    try Self.requireFinite(columns, name)
    return (outcomes, columns)
  }
}
