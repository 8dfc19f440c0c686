import Foundation
import NamidAttacks
import NamidData
import NamidNetworks
import NamidSettings

/// Everything that decides the figures of an evaluation, apart from the networks.
///
/// Equal requests on equal networks and images give equal figures, on whichever device and in whichever batches.
public struct EvaluationRequest: Codable, Hashable, Sendable {
  /// Attacks as they are written, separated by commas, such as `clean,pgd-40:restarts=5`.
  public var attacks: String
  /// The attacker's ball.
  public var threat: ThreatModel
  /// The aim of the attacks: `strongest` gives every image the whole budget.
  public var goal = Goal.fool
  /// The data set's name; that of the measured run when nil.
  public var dataset: String?
  /// The part of the data set.
  public var split = Split.test
  /// Number of images, drawn evenly from all classes; all when nil.
  public var limit: Int?
  /// Seed of all random numbers, those that draw images included.
  public var seed = 0
  /// True to keep attacked images beside the figures.
  public var keepsImages = false

  /// A request for all test images of the measured run's data set, with seed 0.
  public init(_ attacks: String, threat: ThreatModel) {
    self.attacks = attacks
    self.threat = threat
  }

  /// Reads the images that are asked for.
  ///
  /// - Parameters:
  ///   - source: The data set.
  ///   - directory: The folder that holds data sets.
  ///   - say: Takes one line of news at a time.
  /// - Returns: The images.
  /// - Throws: `DatasetError` where they are not there or fewer than asked for.
  public func images(
    from source: any DatasetSource, in directory: URL, say: (String) -> Void = { _ in }
  ) throws -> ImageSet {
    let set = try source.load(split, in: directory, say: say)
    guard let limit, limit < set.count else { return set }
    return try set.sample(limit, seed: UInt64(bitPattern: Int64(seed)))
  }
}

/// A network with the names that reports give it.
public struct MeasuredNetwork {
  /// The network.
  public var network: Network
  /// Its run folder.
  public var name: String
  /// Its checkpoint, such as `epoch 6`.
  public var checkpoint: String

  /// A network with its names.
  public init(_ network: Network, named name: String, checkpoint: String) {
    self.network = network
    self.name = name
    self.checkpoint = checkpoint
  }
}

/// The way in which an evaluation is carried out; no figure depends on it.
public struct EvaluationConduct {
  /// Images handed to the network at once; what suits the device when nil.
  public var batchSize: Int?
  /// The place where finished batches are kept, so that an interrupted evaluation continues; nil for none.
  public var place: EvaluationState.Place?
  /// True to throw away finished batches found there.
  public var isFresh: Bool
  /// Called after each batch, with the attack's name.
  public var progress: (String, Evaluator.Progress) -> Void
  /// Called with lines for people.
  public var say: (String) -> Void

  /// The way in which to evaluate; what is not given is nothing: no state is kept, and nothing is said.
  public init(
    batchSize: Int? = nil, keepingStateIn place: EvaluationState.Place? = nil, fresh: Bool = false,
    progress: @escaping (String, Evaluator.Progress) -> Void = { _, _ in },
    say: @escaping (String) -> Void = { _ in }
  ) {
    self.batchSize = batchSize
    self.place = place
    isFresh = fresh
    self.progress = progress
    self.say = say
  }
}
