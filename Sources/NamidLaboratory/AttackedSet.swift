import NamidAttacks
import NamidData
import NamidEvaluation
import NamidFiles
import NamidSettings
import NamidTorch

/// Images of a data set, attacked on the network whose outputs are read.
package struct AttackedSet {
  /// The attacked images (N, C, H, W), float32, on the CPU.
  package let images: Tensor
  /// The record of the attack, for reports.
  package let record: AttackRecord
  private let measurement: RobustnessMeasurement

  /// Attacks all images; batches that an interrupted call has finished are not attacked again.
  ///
  /// - Parameters:
  ///   - request: The ball, the goal and the seed; the goal `strongest` gives every sample the whole budget.
  ///   - network: The network, with its names for the record.
  ///   - set: The images.
  ///   - attack: The attack.
  ///   - conduct: Batches, state on disk and words for people.
  /// - Throws: `EvaluationError`, or when finished batches cannot be kept.
  package init(
    _ request: EvaluationRequest, of network: MeasuredNetwork, on set: ImageSet,
    by attack: any Attack, _ conduct: EvaluationConduct
  ) throws {
    var request = request
    request.attacks = attack.name
    request.keepsImages = true
    measurement = try Evaluator.measure(request, of: network, on: set, by: [attack], conduct)
    guard let outcome = measurement.outcomes.first, let images = outcome.images else {
      preconditionFailure("expected the attacked images of \(attack.name), found none")
    }
    self.images = images
    let (report, own) = (measurement.report, outcome.report)
    let right = Int((report.cleanAccuracy * Double(own.total)).rounded())
    record = AttackRecord(
      name: own.name, settings: own.settings, goal: request.goal,
      cleanAccuracy: SampleShare(right, of: own.total),
      robustAccuracy: SampleShare(own.robust, of: own.total),
      evaluationHash: report.specificationHash)
  }

  /// The report of the evaluation: network, data and ball, with their hash.
  package var report: EvaluationReport { measurement.report }
  /// The finished batches on disk, which must be kept until figures have been written.
  package var state: EvaluationState? { measurement.state }
}

/// The record of the attack that made a set of images.
package struct AttackRecord: Encodable, Hashable, Sendable {
  /// The attack's name, such as `pgd-20`.
  package var name: String
  package var settings: JSONValue
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
