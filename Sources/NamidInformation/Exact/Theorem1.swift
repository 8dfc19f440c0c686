/// The quantities of Theorem 1 (Equation 2) for one distribution of X, N, X̃ and Z, in nats.
///
/// The theorem says I(X̃; Z) = I(X; Z) + I(N; Z) − I(X; N; Z) + H(Z | X, N) − H(Z | X̃), with co-information as the
/// information of three variables; Equation 3 keeps the first two terms on the right.
public struct Theorem1: Codable, Hashable, Sendable {
  /// The standard mutual information I(X̃; Z).
  public var standard: Double
  /// The natural mutual information I(X; Z).
  public var natural: Double
  /// The adversarial mutual information I(N; Z).
  public var adversarial: Double
  /// The co-information I(X; N; Z) = I(X; N) − I(X; N | Z).
  public var coInformation: Double
  /// The entropy H(Z | X, N).
  public var entropyGivenParts: Double
  /// The entropy H(Z | X̃).
  public var entropyGivenInput: Double
}

extension Theorem1 {
  /// Computes the quantities of a distribution with variables named `x`, `n`, `input` (X̃) and `z`.
  public init(_ joint: DiscreteJoint) {
    standard = joint.mutualInformation(["input"], ["z"])
    natural = joint.mutualInformation(["x"], ["z"])
    adversarial = joint.mutualInformation(["n"], ["z"])
    coInformation = joint.coInformation("x", "n", "z")
    entropyGivenParts = joint.entropy(of: ["z"], given: ["x", "n"])
    entropyGivenInput = joint.entropy(of: ["z"], given: ["input"])
  }

  /// The left side minus the right side of Equation 2; zero up to rounding.
  public var identityError: Double {
    standard - (natural + adversarial - coInformation + entropyGivenParts - entropyGivenInput)
  }

  /// The standard mutual information by Equation 3.
  public var approximation: Double { natural + adversarial }

  /// The error of Equation 3: its value minus the standard mutual information.
  public var approximationError: Double { approximation - standard }

  /// The quantities in bits.
  public var inBits: Theorem1 {
    let bit = 0.6931471805599453
    return Theorem1(
      standard: standard / bit, natural: natural / bit, adversarial: adversarial / bit,
      coInformation: coInformation / bit, entropyGivenParts: entropyGivenParts / bit,
      entropyGivenInput: entropyGivenInput / bit)
  }
}
