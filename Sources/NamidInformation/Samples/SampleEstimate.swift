import NamidStatistics

/// An estimate of I(X; Z) from samples, in nats.
public struct SampleEstimate: Codable, Sendable {
  /// The estimator's name.
  public var estimator: String
  /// The value on samples that training has not seen.
  public var nats: Double
  /// The standard error of that mean over batches; nil where there is one batch or none.
  public var standardError: Double?
  /// The side of I on which the value is.
  public var kind: BoundKind
  /// The largest value that the estimator could have given; nil for no limit.
  public var cap: Double?
  /// The number of samples that the value was measured on.
  public var heldOut: Int
  /// The number of samples trained on.
  public var trained: Int
  /// The number of samples that decided when training stopped.
  public var validated: Int
  /// The number of training steps made.
  public var steps: Int
  /// The values on the validation split in the course of training.
  public var curve: [Point]

  /// Creates an estimate computed from all samples, without training.
  public static func withoutTraining(
    _ estimator: String, nats: Double, count: Int
  ) -> SampleEstimate {
    SampleEstimate(
      estimator: estimator, nats: nats, standardError: nil, kind: .neither, cap: nil,
      heldOut: count, trained: 0, validated: 0, steps: 0, curve: [])
  }

  /// A value on the validation split.
  public struct Point: Codable, Sendable {
    /// The number of steps made before.
    public var step: Int
    /// The value, in nats.
    public var nats: Double
  }

  /// The value in bits.
  public var bits: Double { nats / 0.6931471805599453 }

  /// The 95 % interval of the held-out mean, if it has a standard error.
  ///
  /// It covers the uncertainty of the bound's value, not the distance of the bound from I.
  public var interval: ConfidenceInterval? {
    standardError.map { ConfidenceInterval(around: nats, half: ConfidenceInterval.z * $0) }
  }
}
