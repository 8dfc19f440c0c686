import NamidNetworks
import NamidTorch

/// What an attack is after.
public enum Goal: String, Codable, Sendable {
  /// One image per sample that the network gets wrong: a sample leaves the work as soon as it is fooled.
  case fool
  /// The strongest image per sample that the whole budget finds, for use against another network: no sample is
  /// dropped, also not one that is wrong unattacked.
  case strongest
}

/// What an attack did to a batch.
public struct AttackResult {
  /// The attacked images (N, C, H, W): one that fools the network where one was found, else the strongest tried.
  public var images: Tensor
  /// Whether the network errs on the attacked image; true for images that it gets wrong unattacked.
  public var fooled: [Bool]
  /// What it cost, per sample.
  public var costs: [Cost]
  /// The size of the smallest perturbation found that fools the network, in the attack's norm, within ε or not.
  ///
  /// 0 for images wrong unattacked, infinity where none was found. Nil for attacks that do not look for it.
  public var distances: [Float]?

  /// A result.
  public init(images: Tensor, fooled: [Bool], costs: [Cost], distances: [Float]? = nil) {
    self.images = images
    self.fooled = fooled
    self.costs = costs
    self.distances = distances
  }
}

/// Something that looks for images near the given ones on which a network errs.
public protocol Attack: Sendable {
  /// The name in tables and files, such as `pgd-20`.
  var name: String { get }
  /// All settings by name, for the record.
  var settings: [String: String] { get }
  /// The ball that fooling images are held to; nil for no attack and for transport of mass.
  var ball: ThreatModel? { get }
  /// The attacks that this one consists of, in the order in which they are tried on those that are left.
  var members: [any Attack] { get }
  /// Whether the attack looks for the smallest perturbation, of any size.
  var seeksSmallest: Bool { get }
  /// What the attack does instead of its definition on a network with so few classes, in words, or nil.
  func fallback(classCount: Int) -> String?
  /// Attacks a batch.
  ///
  /// Leaves the network as it was: weights, buffers, gradients and mode.
  ///
  /// - Parameters:
  ///   - classifier: The network.
  ///   - images: Float32 (N, C, H, W) in [0, 1].
  ///   - labels: Classes (N), int64.
  ///   - streams: One random stream per sample, keyed by the sample's index in its data set.
  ///   - goal: Whether a fooled sample is done.
  /// - Returns: Attacked images, verdicts and costs.
  func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult
}

extension Attack {
  /// The attack itself.
  public var members: [any Attack] { [self] }

  /// No: the attack looks within its ball.
  public var seeksSmallest: Bool { false }

  /// Nothing: the attack works with any number of classes.
  public func fallback(classCount: Int) -> String? { nil }

  /// Attacks a batch until every sample is fooled or the budget is spent; see `run(on:images:labels:streams:goal:)`.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream]
  ) -> AttackResult {
    run(on: classifier, images: images, labels: labels, streams: streams, goal: .fool)
  }
}
