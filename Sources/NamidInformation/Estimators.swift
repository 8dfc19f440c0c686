import NamidTorch

/// The mutual information that a set of estimators measures.
public enum EstimatorKind: String, CaseIterable, Codable, Sendable {
  /// Natural MI I(X; h(·)) and adversarial MI I(N; h(·)), one estimator each: NAMID.
  case pair = "natural-adversarial"
  /// Standard MI I(X̃; h(X̃)) of adversarial samples, one estimator: WMIM.
  case standard
}

/// Estimators that are trained and used together.
public enum Estimators {
  /// Two estimators, of natural and of adversarial MI.
  case pair(EstimatorPair)
  /// One estimator of standard MI.
  case standard(Estimator)

  /// Creates freshly initialised estimators.
  public init(
    _ kind: EstimatorKind, _ specification: EstimatorSpecification, stream: RandomStream,
    device: Device = .cpu
  ) {
    switch kind {
    case .pair: self = .pair(EstimatorPair(specification, stream: stream, device: device))
    case .standard:
      self = .standard(
        Estimator(specification, stream: stream.keyed("standard"), device: device))
    }
  }

  /// The mutual information that the estimators measure.
  public var kind: EstimatorKind {
    switch self {
    case .pair: .pair
    case .standard: .standard
    }
  }

  /// Each estimator with the name of its file, in the order in which they are trained.
  public var named: [(name: String, estimator: Estimator)] {
    switch self {
    case .pair(let pair): [("natural", pair.natural), ("adversarial", pair.adversarial)]
    case .standard(let estimator): [("standard", estimator)]
    }
  }

  /// True where all are in training mode; setting it sets all.
  public var isTraining: Bool {
    get { named.allSatisfy { $0.estimator.store.isTraining } }
    nonmutating set { for (_, estimator) in named { estimator.store.isTraining = newValue } }
  }

  /// Stops gradients into the estimators' own weights.
  public func freeze() {
    for (_, estimator) in named { estimator.freeze() }
  }
}
