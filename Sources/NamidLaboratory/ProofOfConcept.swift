import NamidEvaluation
import NamidInformation
import NamidSettings
import NamidTorch

/// The proof of concept of the paper's Appendix B and Figure 2: one estimator, trained on natural images and their
/// outputs, reads three pairings of image and output.
package struct ProofOfConceptReport: Encodable, Sendable {
  /// The three readings of one attack, over all samples, in nats.
  package struct Row: Encodable, Sendable {
    /// How the attacked images came about.
    package var attack: AttackRecord
    /// I(x; h(x)): standard MI of natural samples, which is their natural MI.
    package var natural: MeanInterval
    /// I(x̃; h(x̃)): standard MI of adversarial samples.
    package var standard: MeanInterval
    /// I(x; h(x̃)): natural image and adversarial output.
    package var crossed: MeanInterval
    /// I(x; h(x)) − I(x̃; h(x̃)), sample by sample: what attacking costs standard MI.
    package var loss: MeanInterval
    /// I(x̃; h(x̃)) − I(x; h(x̃)), sample by sample: the shaded area of Figure 2.
    package var confused: MeanInterval
    /// Samples with I(x̃; h(x̃)) < I(x; h(x)).
    package var losing: SampleShare
    /// Samples with I(x; h(x̃)) < I(x̃; h(x̃)).
    package var confusing: SampleShare
    /// The lowest of all readings of this attack, which the paper moves to 0.
    package var lowest: Double
    /// I(Y; Ŷ) unattacked.
    package var labelsClean: LabelInformation
    /// I(Y; Ŷ) attacked.
    package var labelsAttacked: LabelInformation
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

  /// How it was measured.
  package var setting: InformationReport.Setting
  /// Which estimator has read.
  package var estimator: EstimatorIdentity
  /// How the network was trained; the paper's is trained naturally.
  package var training: String
  /// What is unusual about the measurement.
  package var remarks: [String]
  /// One entry per attack, in order.
  package var rows: [Row]
  /// The lowest of all readings: the paper subtracts it before it takes means.
  package var offset: Double

  enum CodingKeys: String, CodingKey {
    case setting, estimator, training, remarks, offset
    case rows = "attacks"
  }

  /// A report; the offset is found here.
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
  /// Sums up one attack.
  ///
  /// - Parameters:
  ///   - attack: How the attacked images came about.
  ///   - outcomes: What the network says of each sample.
  ///   - readings: Values of I(x; h(x)), I(x̃; h(x̃)) and I(x; h(x̃)) per sample.
  ///   - estimator: Which estimator.
  ///   - batches: Which samples stood together.
  /// - Throws: What encoding the specification throws.
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
    labelsClean = LabelInformation(labels: outcomes.label, predictions: outcomes.clean)
    labelsAttacked = LabelInformation(labels: outcomes.label, predictions: outcomes.attacked)
    specificationHash = try InformationSpecification(
      attack, estimators: estimator, selection: .argmax, batches: batches
    ).hash()
  }
}

extension InformationMeter {
  /// I(x; h(x)), I(x̃; h(x̃)) and I(x; h(x̃)) of every sample, by one reader.
  ///
  /// - Throws: `LaboratoryError.notFinite` naming the reader.
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
