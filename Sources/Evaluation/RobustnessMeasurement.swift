import Attacks
import Datasets
import Foundation
import Models
import Torch

/// A network measured under several attacks on one data set.
public struct RobustnessMeasurement {
  /// The summary with its specification.
  public var report: EvaluationReport
  /// The outcome of each attack, in order.
  public var outcomes: [Evaluator.Outcome]

  /// Measures.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - name: Its run folder, for the record.
  ///   - checkpoint: Which checkpoint it is, for the record.
  ///   - set: The images.
  ///   - threat: The attacker's ball.
  ///   - attacks: What to try; clean accuracy is measured in any case.
  ///   - batchSize: Images handed to the network at once.
  ///   - seed: Seed of all random numbers.
  ///   - keepsImages: Whether attacked images are kept.
  ///   - progress: Told after each batch, with the attack's name.
  /// - Throws: When the figures cannot be put into a record.
  public init(
    of network: Network, named name: String, checkpoint: String, on set: ImageSet,
    threat: ThreatModel, attacks: [any Attack], batchSize: Int = 128, seed: Int,
    keepsImages: Bool = false, progress: (String, Evaluator.Progress) -> Void = { _, _ in }
  ) throws {
    let data = ImageTensors(set, device: network.store.device)
    let evaluator = Evaluator(network, on: data, batchSize: batchSize, seed: seed)
    outcomes = attacks.map { attack in
      evaluator.run(attack, keepsImages: keepsImages) { progress(attack.name, $0) }
    }
    let clean =
      outcomes.first { $0.report.name == "clean" }?.report ?? evaluator.run(NoAttack()).report
    report = try EvaluationReport(
      dataset: EvaluationReport.Data(
        name: set.title, split: set.split.rawValue, count: set.count,
        fingerprint: set.fingerprint),
      model: EvaluationReport.Model(
        name: name, architecture: network.specification.architecture,
        parameters: network.store.parameterCount, checkpoint: checkpoint,
        fingerprint: network.fingerprint),
      threat: threat, cleanAccuracy: clean.robustAccuracy, attacks: outcomes.map(\.report),
      seed: seed)
  }
}
