import NamidStatistics

/// An estimate of I(X; Z) from samples, in nats.
public struct SampleEstimate: Codable, Sendable {
  /// The estimator's name.
  public var estimator: String
  /// The value on samples that training has not seen.
  public var nats: Double
  /// The standard error of that mean over batches; nil where there is one batch or none.
  public var standardError: Double?
  /// Which side of I the value is on.
  public var kind: BoundKind
  /// The largest value that it could have given; nil for no limit.
  public var cap: Double?
  /// How many samples the value is of.
  public var heldOut: Int
  /// How many samples were trained on.
  public var trained: Int
  /// How many samples decided when training stopped.
  public var validated: Int
  /// Training steps made.
  public var steps: Int
  /// Values on the validation split while training, and at which step.
  public var curve: [Point]

  /// A value computed from all samples, without training.
  public static func withoutTraining(
    _ estimator: String, nats: Double, count: Int
  ) -> SampleEstimate {
    SampleEstimate(
      estimator: estimator, nats: nats, standardError: nil, kind: .neither, cap: nil,
      heldOut: count, trained: 0, validated: 0, steps: 0, curve: [])
  }

  /// A value on the validation split.
  public struct Point: Codable, Sendable {
    /// After how many steps.
    public var step: Int
    /// The value, in nats.
    public var nats: Double
  }

  /// The same in bits.
  public var bits: Double { nats / 0.6931471805599453 }

  /// The 95 % interval of the held-out mean, if it has a standard error.
  ///
  /// It says how well the bound's value is known, not how near the bound is to I.
  public var interval: ConfidenceInterval? {
    standardError.map { ConfidenceInterval(around: nats, half: ConfidenceInterval.z * $0) }
  }
}
