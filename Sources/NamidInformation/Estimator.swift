import NamidNetworks
import NamidTorch

/// The description of an estimator without its weights.
public struct EstimatorSpecification: Codable, Hashable, Sendable {
  /// The length of the feature vectors; 2048 in the paper.
  public var units: Int
  /// The number of classes of the network whose logits it reads.
  public var classCount: Int
  /// The number of channels of the images.
  public var channels: Int
  /// True where the masked positive stays in the sum of negatives (the authors' code).
  public var leak: Bool

  /// Creates an estimator for images and logits of a given kind.
  public init(units: Int = 2048, classCount: Int = 10, channels: Int = 3, leak: Bool = true) {
    self.units = units
    self.classCount = classCount
    self.channels = channels
    self.leak = leak
  }

  /// Lengths of feature vectors that an estimator can have.
  public static let possibleUnits = 1...16_384

  /// A message about the first number that no estimator can have, as from a damaged file; nil where all are possible.
  public var problem: String? {
    let numbers = [
      ("units", units, Self.possibleUnits), ("classCount", classCount, 1...65_536),
      ("channels", channels, 1...65_536),
    ]
    return numbers.first { !$2.contains($1) }.map { name, value, range in
      "\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)"
    }
  }
}

/// The factor of an estimator's scores.
public enum ScoreScale: String, CaseIterable, Codable, Sendable {
  /// Plain dot products of features: the authors' code.
  case none
  /// Dot products divided by the root of the features' length, so that estimates do not grow with it.
  case sqrtUnits = "sqrt-units"
}

/// A network E_φ that estimates the mutual information of a pattern (an image, or its noise) and logits.
public final class Estimator {
  /// The description of the estimator.
  public let specification: EstimatorSpecification
  /// The precision in which scores are computed: float32 for measuring; training may allow tf32.
  public var scorePrecision = Precision.float32
  /// The factor of scores, in training and in use.
  public var scoreScale = ScoreScale.none
  /// The weights.
  public let store: ParameterStore
  private let local: LocalEncoder
  private let global: GlobalEncoder

  /// Creates a freshly initialised estimator.
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

  /// Computes the features of patterns (positions, N, units), to be used for all outputs against these patterns.
  ///
  /// A frozen estimator works through large batches in parts, so that only the result is large.
  public func features(of patterns: Tensor) -> Tensor {
    let shape = patterns.shape
    let bytes = 4 * specification.units * (shape[2] / 4) * (shape[3] / 4)
    let rows = max(1, Self.featureBlockBytes / max(1, bytes))
    guard shape[0] > rows, isFrozen, !patterns.requiresGrad else { return local(patterns) }
    return withoutGrad {
      var result: Tensor?
      for start in stride(from: 0, to: shape[0], by: rows) {
        let range = start..<min(start + rows, shape[0])
        let part = local(patterns.slice(range))
        let all =
          result
          ?? .zeros([part.size(0), shape[0], part.size(2)], device: patterns.device)
        all.slice(range, dim: 1).copy_(part)
        result = all
      }
      return result ?? local(patterns)
    }
  }

  /// Bytes of features that a frozen estimator computes at once.
  private static let featureBlockBytes = 128 << 20

  private var isFrozen: Bool {
    !store.isTraining && store.parameters.allSatisfy { !$0.requiresGrad }
  }

  /// Computes the losses −I of logits (N, classes) against patterns with these features, by position (N, positions).
  ///
  /// For large batches use `loss(_:blockBytes:_:)`, which keeps less in memory.
  ///
  /// - Parameters:
  ///   - features: Made by `features(of:)`.
  ///   - logits: A network's output for each sample.
  ///   - anchors: Restricts the losses to these samples (indices, int64); all samples stay negatives.
  /// - Returns: Losses, float32.
  public func losses(_ features: Tensor, logits: Tensor, anchors: Tensor? = nil) -> Tensor {
    DonskerVaradhan.losses(
      global: outputs(logits, anchors), local: features, anchors: anchors,
      leak: specification.leak, precision: scorePrecision)
  }

  /// Computes a loss made of −I of several outputs against the same patterns, in blocks where the scores are many.
  ///
  /// - Parameters:
  ///   - features: Made by `features(of:)`.
  ///   - blockBytes: The number of bytes of scores kept at once.
  ///   - body: Makes the loss, of rank 0; it is handed a function from logits and anchors (as in
  ///     `losses(_:logits:anchors:)`) to losses by position.
  /// - Returns: The loss, with gradients to logits and to the estimator unless that is frozen.
  public func loss(
    _ features: Tensor, blockBytes: Int = PatternScores.usualBlockBytes,
    _ body: (_ losses: (_ logits: Tensor, _ anchors: Tensor?) -> Tensor) -> Tensor
  ) -> Tensor {
    let scores = PatternScores(
      local: features, leak: specification.leak, precision: scorePrecision, blockBytes: blockBytes)
    return scores.connected(
      body { logits, anchors in scores.losses(of: outputs(logits, anchors), anchors: anchors) })
  }

  /// Computes features of the logits of all samples, or of the anchors among them.
  func outputs(_ logits: Tensor, _ anchors: Tensor? = nil) -> Tensor {
    let features = global(logits)
    let all =
      scoreScale == .none
      ? features : features / Double(specification.units).squareRoot()
    return anchors.map { all.indexSelect($0) } ?? all
  }

  /// Stops gradients into the estimator's own weights and selects evaluation mode, which halves the work of measuring.
  public func freeze() {
    store.isTraining = false
    store.setRequiresGrad(false)
  }

  /// Loads saved values.
  ///
  /// Files made from the authors' checkpoints name the local encoder's layers twice, as `layer0` and as `layers.0`;
  /// one of the two is enough. A prefix `module.` on either encoder's names is removed.
  ///
  /// - Throws: `StateDictionaryError` naming every key that does not fit; nothing is changed then.
  public func load(state: [String: Tensor]) throws(StateDictionaryError) {
    let named = state.map { (name: Self.ownName(of: $0.key), key: $0.key, tensor: $0.value) }
    // Where both names are there, the estimator's own goes first.
    let own = named.sorted { ($0.name == $0.key ? 0 : 1) < ($1.name == $1.key ? 0 : 1) }
    try store.load(
      state: Dictionary(own.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first }))
  }

  private static func ownName(of key: String) -> String {
    var parts = key.split(separator: ".").map(String.init)
    if parts.count > 2, ["local", "global"].contains(parts[0]), parts[1] == "module" {
      parts.remove(at: 1)
    }
    if parts.count > 3, parts[0] == "local", parts[1] == "layers", Int(parts[2]) != nil {
      parts.replaceSubrange(1...2, with: ["layer" + parts[2]])
    }
    return parts.joined(separator: ".")
  }
}

/// The natural estimator E_φn (patterns are images) and the adversarial one E_φa (patterns are noise).
public struct EstimatorPair {
  /// The estimator of I(X; h(·)).
  public let natural: Estimator
  /// The estimator of I(N; h(·)).
  public let adversarial: Estimator

  /// Creates a pair of two given estimators.
  public init(natural: Estimator, adversarial: Estimator) {
    self.natural = natural
    self.adversarial = adversarial
  }

  /// Creates two freshly initialised estimators.
  public init(
    _ specification: EstimatorSpecification, stream: RandomStream, device: Device = .cpu
  ) {
    natural = Estimator(specification, stream: stream.keyed("natural"), device: device)
    adversarial = Estimator(specification, stream: stream.keyed("adversarial"), device: device)
  }

  /// True where both are in training mode; setting it sets both.
  public var isTraining: Bool {
    get { natural.store.isTraining && adversarial.store.isTraining }
    nonmutating set {
      natural.store.isTraining = newValue
      adversarial.store.isTraining = newValue
    }
  }

  /// Stops gradients into the estimators' own weights and selects evaluation mode, which halves the work of measuring.
  public func freeze() {
    natural.freeze()
    adversarial.freeze()
  }
}
