import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTorch

/// A network and the images on which its mutual information is measured.
package struct LaboratorySubject {
  /// The network.
  package var network: Network
  /// The network's run folder, for the record.
  package var name: String
  /// The network's checkpoint, for the record.
  package var checkpoint: String
  /// The images.
  package var set: ImageSet
  /// The attacker's ball.
  package var threat: ThreatModel
  /// The goal of attacks: `strongest` gives every sample the whole budget.
  package var goal: Goal
  /// The number of images handed to the network at once; results do not depend on it.
  package var batchSize: Int
  /// The seed of all random numbers.
  package var seed: Int

  /// Creates a subject from a network and images.
  package init(
    _ network: Network, named name: String, checkpoint: String, on set: ImageSet,
    threat: ThreatModel, goal: Goal = .strongest, batchSize: Int? = nil, seed: Int
  ) {
    self.network = network
    self.name = name
    self.checkpoint = checkpoint
    self.set = set
    self.threat = threat
    self.goal = goal
    self.batchSize = batchSize ?? Evaluator.batchSize(on: network.store.device)
    self.seed = seed
  }

  /// Attacks all images; batches that an interrupted call has finished are not attacked again.
  ///
  /// - Parameters:
  ///   - attack: The attack.
  ///   - place: The place where finished batches are kept until `HeldState.finish()`.
  ///   - fresh: True to discard finished batches found there.
  ///   - progress: A closure called after each batch, with the attack's name.
  ///   - say: A closure called with lines for people.
  /// - Returns: The attacked images with the attack's report.
  /// - Throws: `EvaluationError`, or when finished batches cannot be kept.
  package func attacked(
    by attack: any Attack, keepingStateIn place: EvaluationState.Place? = nil, fresh: Bool = false,
    progress: @escaping (String, Evaluator.Progress) -> Void = { _, _ in },
    say: @escaping (String) -> Void = { _ in }
  ) throws -> AttackedSet {
    var request = EvaluationRequest(attack.name, threat: threat)
    request.goal = goal
    request.seed = seed
    request.keepsImages = true
    let measurement = try Evaluator.measure(
      request, of: MeasuredNetwork(network, named: name, checkpoint: checkpoint), on: set,
      by: [attack],
      EvaluationConduct(
        batchSize: batchSize, keepingStateIn: place, fresh: fresh, progress: progress, say: say))
    guard let outcome = measurement.outcomes.first, let images = outcome.images else {
      preconditionFailure("expected the attacked images of \(attack.name), found none")
    }
    return AttackedSet(
      report: measurement.report, attack: outcome.report, images: images, goal: goal,
      state: measurement.state)
  }
}

/// Attacked images of a data set.
package struct AttackedSet {
  /// The report of the evaluation: network, data and ball, with their hash.
  package let report: EvaluationReport
  /// The attack with its settings and the number of samples that withstood it.
  package let attack: AttackReport
  /// The attacked images (N, C, H, W), float32, on the CPU.
  package let images: Tensor
  /// The goal of the attack.
  package let goal: Goal
  private let state: EvaluationState?

  init(
    report: EvaluationReport, attack: AttackReport, images: Tensor, goal: Goal,
    state: EvaluationState?
  ) {
    self.report = report
    self.attack = attack
    self.images = images
    self.goal = goal
    self.state = state
  }

  /// The state on disk that must be kept until figures have been written.
  package var held: HeldState { HeldState(state: state) }

  /// The record of the attack, for reports.
  package var record: AttackRecord {
    AttackRecord(
      name: attack.name, settings: attack.settings, goal: goal,
      cleanAccuracy: SampleShare(right(report.cleanAccuracy), of: attack.total),
      robustAccuracy: SampleShare(attack.robust, of: attack.total),
      evaluationHash: report.specificationHash)
  }

  private func right(_ accuracy: Double) -> Int { Int((accuracy * Double(attack.total)).rounded()) }
}

/// The finished batches of an attack, which stay on disk until its figures are written.
package struct HeldState {
  let state: EvaluationState?

  /// Removes the finished batches.
  package func finish() { state?.finish() }
}

/// The record of the attack that made a set of images.
package struct AttackRecord: Encodable, Hashable, Sendable {
  /// The attack's name, such as `pgd-20`.
  package var name: String
  /// The attack's settings by name.
  package var settings: JSONValue
  /// The goal of the attack.
  package var goal: Goal
  /// The share of unattacked images classified correctly.
  package var cleanAccuracy: SampleShare
  /// The share of attacked images classified correctly.
  package var robustAccuracy: SampleShare
  /// The digest of data, network, ball, attack settings and seed.
  package var evaluationHash: String

  enum CodingKeys: String, CodingKey {
    case name, settings, goal
    case cleanAccuracy = "clean_accuracy"
    case robustAccuracy = "attacked_accuracy"
    case evaluationHash = "evaluation_hash"
  }
}
