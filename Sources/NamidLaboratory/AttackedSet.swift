import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTorch

/// A network and images whose mutual information is going to be measured.
package struct LaboratorySubject {
  /// The network.
  package var network: Network
  /// Its run folder, for the record.
  package var name: String
  /// Which checkpoint it is, for the record.
  package var checkpoint: String
  /// The images.
  package var set: ImageSet
  /// The attacker's ball.
  package var threat: ThreatModel
  /// What attacks are after: `strongest` gives every sample the whole budget.
  package var goal: Goal
  /// Images handed to the network at once; results do not depend on it.
  package var batchSize: Int
  /// Seed of all random numbers.
  package var seed: Int

  /// A network and images.
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

  /// Attacks all images; what an interrupted call has finished is not done again.
  ///
  /// - Parameters:
  ///   - attack: The attack.
  ///   - place: Where finished batches are kept until `AttackedSet.finish()`.
  ///   - fresh: Whether finished batches found there are thrown away.
  ///   - progress: Told after each batch, with the attack's name.
  ///   - say: Told lines for people.
  /// - Returns: Attacked images with the record of how they came about.
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
  /// Network, data and ball, with the hash of all that.
  package let report: EvaluationReport
  /// The attack with its settings and what it left standing.
  package let attack: AttackReport
  /// The images (N, C, H, W), float32, on the CPU.
  package let images: Tensor
  /// What the attack was after.
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

  /// What must be kept until figures have been written.
  package var held: HeldState { HeldState(state: state) }

  /// How the images came about, for reports.
  package var record: AttackRecord {
    AttackRecord(
      name: attack.name, settings: attack.settings, goal: goal,
      cleanAccuracy: SampleShare(right(report.cleanAccuracy), of: attack.total),
      robustAccuracy: SampleShare(attack.robust, of: attack.total),
      evaluationHash: report.specificationHash)
  }

  private func right(_ accuracy: Double) -> Int { Int((accuracy * Double(attack.total)).rounded()) }
}

/// The finished batches of an attack, which lie on disk until its figures are written.
package struct HeldState {
  let state: EvaluationState?

  /// Removes them.
  package func finish() { state?.finish() }
}

/// How attacked images came about.
package struct AttackRecord: Encodable, Hashable, Sendable {
  /// Such as `pgd-20`.
  package var name: String
  /// All settings by name.
  package var settings: JSONValue
  /// What it was after.
  package var goal: Goal
  /// Right on unattacked images.
  package var cleanAccuracy: SampleShare
  /// Right on the attacked ones.
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
