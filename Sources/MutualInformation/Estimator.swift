import NeuralNetworks
import Torch

/// What an estimator is, apart from its weights.
public struct EstimatorSpecification: Codable, Hashable, Sendable {
  /// Length of the feature vectors; 2048 in the paper.
  public var units: Int
  /// Classes of the network whose logits it reads.
  public var classCount: Int
  /// Channels of the images.
  public var channels: Int
  /// Whether the masked positive stays in the sum of negatives (the authors' code).
  public var leak: Bool

  /// An estimator for images and logits of a given kind.
  public init(units: Int = 2048, classCount: Int = 10, channels: Int = 3, leak: Bool = true) {
    self.units = units
    self.classCount = classCount
    self.channels = channels
    self.leak = leak
  }
}

/// A network E_φ that estimates the mutual information of a pattern (an image, or its noise) and logits.
public final class Estimator {
  /// What it is.
  public let specification: EstimatorSpecification
  /// Its weights.
  public let store: ParameterStore
  private let local: LocalEncoder
  private let global: GlobalEncoder

  /// A freshly initialised estimator.
  public init(
    _ specification: EstimatorSpecification, stream: RandomStream, device: Device = .cpu
  ) {
    self.specification = specification
    store = ParameterStore(stream: stream, device: device)
    local = LocalEncoder(
      channels: specification.channels, units: specification.units, at: store.root / "local")
    global = GlobalEncoder(
      classCount: specification.classCount, units: specification.units, at: store.root / "global")
  }

  /// Features of patterns (N, positions, units); computed once and shared by all that is asked about them.
  public func features(of patterns: Tensor) -> Tensor { local(patterns) }

  /// The losses −I of logits (N, classes) against patterns with these features, by position (N, positions).
  ///
  /// - Parameters:
  ///   - features: Made by `features(of:)`.
  ///   - logits: A network's output for each sample.
  ///   - anchors: Restricts the losses to these samples (indices, int64); all samples stay negatives.
  /// - Returns: Losses, float32.
  public func losses(_ features: Tensor, logits: Tensor, anchors: Tensor? = nil) -> Tensor {
    let outputs = global(logits)
    return DonskerVaradhan.losses(
      global: anchors.map { outputs.indexSelect($0) } ?? outputs, local: features,
      anchors: anchors, leak: specification.leak)
  }
}

/// The natural estimator E_φn (patterns are images) and the adversarial one E_φa (patterns are noise).
public struct EstimatorPair {
  /// I(X; h(·)).
  public let natural: Estimator
  /// I(N; h(·)).
  public let adversarial: Estimator

  /// Two estimators.
  public init(natural: Estimator, adversarial: Estimator) {
    self.natural = natural
    self.adversarial = adversarial
  }

  /// Two freshly initialised estimators.
  public init(
    _ specification: EstimatorSpecification, stream: RandomStream, device: Device = .cpu
  ) {
    natural = Estimator(specification, stream: stream.keyed("natural"), device: device)
    adversarial = Estimator(specification, stream: stream.keyed("adversarial"), device: device)
  }

  /// Both in training or both in evaluation mode.
  public var isTraining: Bool {
    get { natural.store.isTraining && adversarial.store.isTraining }
    nonmutating set {
      natural.store.isTraining = newValue
      adversarial.store.isTraining = newValue
    }
  }

  /// Stops gradients into the estimators' own weights: half the work when they only measure.
  public func freeze() {
    isTraining = false
    natural.store.setRequiresGrad(false)
    adversarial.store.setRequiresGrad(false)
  }
}
