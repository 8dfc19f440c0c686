import NeuralNetworks
import Torch

/// What an attack costs a sample, counted as if the sample were attacked alone.
public struct Cost: Codable, Hashable, Sendable {
  /// Evaluations of the network, with or without a gradient afterwards.
  public var forwards: Int
  /// Gradients with respect to the image.
  public var backwards: Int

  /// A cost.
  public init(forwards: Int = 0, backwards: Int = 0) {
    self.forwards = forwards
    self.backwards = backwards
  }

  /// The sum of two costs.
  public static func + (a: Cost, b: Cost) -> Cost {
    Cost(forwards: a.forwards + b.forwards, backwards: a.backwards + b.backwards)
  }

  /// Adds a cost.
  public static func += (a: inout Cost, b: Cost) { a = a + b }
}

/// What an attack did to a batch.
public struct AttackResult {
  /// The attacked images (N, C, H, W): one that fools the network where one was found, else the strongest tried.
  public var images: Tensor
  /// Whether the network errs on the attacked image; true for images that it gets wrong unattacked.
  public var fooled: [Bool]
  /// What it cost, per sample.
  public var costs: [Cost]

  /// A result.
  public init(images: Tensor, fooled: [Bool], costs: [Cost]) {
    self.images = images
    self.fooled = fooled
    self.costs = costs
  }
}

/// Something that looks for images near the given ones on which a network errs.
public protocol Attack: Sendable {
  /// The name in tables and files, such as `pgd-20`.
  var name: String { get }
  /// All settings by name, for the record.
  var settings: [String: String] { get }
  /// Attacks a batch.
  ///
  /// Leaves the network as it was: weights, buffers, gradients and mode.
  ///
  /// - Parameters:
  ///   - classifier: The network.
  ///   - images: Float32 (N, C, H, W) in [0, 1].
  ///   - labels: Classes (N), int64.
  ///   - streams: One random stream per sample, keyed by the sample's index in its data set.
  /// - Returns: Attacked images, verdicts and costs.
  func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream]
  ) -> AttackResult
}
