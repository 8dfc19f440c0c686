import Foundation

/// A distribution on which Theorem 1 and its approximation can be compared.
public struct TheoremCase: Codable, Sendable {
  /// A short name.
  public var name: String
  /// The distribution of X, N and Z in words.
  public var description: String
  /// The quantities, in nats.
  public var terms: Theorem1
}

/// Cases in which everything is known exactly.
public enum TheoremCases {
  /// All cases, those of bits first.
  public static var all: [TheoremCase] {
    [parity, and, bitSum, deterministic] + [16, 256, 1024].map(uniformSum)
      + [1, 0.3, 0.1, 0.01].map(gaussian)
  }

  /// Independent fair bits and their parity Z: neither bit alone says anything about Z.
  public static var parity: TheoremCase {
    discrete("parity", "independent fair bits X and N; Z = X xor N") { $0 ^ $1 }
  }

  /// Independent fair bits and their conjunction Z.
  public static var and: TheoremCase {
    discrete("and", "independent fair bits X and N; Z = X and N") { $0 & $1 }
  }

  /// Independent fair bits and their sum Z.
  public static var bitSum: TheoremCase {
    discrete("bit sum", "independent fair bits X and N; Z = X + N") { $0 + $1 }
  }

  /// A case in which the noise is a function of the image, as in an attack without a random start.
  public static var deterministic: TheoremCase {
    let joint = DiscreteJoint(
      ["x", "n", "input", "z"], outcomes: [0, 1].map { ([$0, $0, 2 * $0, 2 * $0], 0.5) })
    return TheoremCase(
      name: "deterministic attack", description: "a fair bit X; N = X; Z = X + N",
      terms: Theorem1(joint))
  }

  /// Makes the case of independent uniform numbers below m and their sum Z.
  public static func uniformSum(_ m: Int) -> TheoremCase {
    var outcomes: [([Int], Double)] = []
    outcomes.reserveCapacity(m * m)
    for x in 0..<m { for n in 0..<m { outcomes.append(([x, n, x + n, x + n], 1)) } }
    return TheoremCase(
      name: "uniform sum, m = \(m)",
      description: "independent X and N, uniform on 0 … \(m - 1); Z = X + N",
      terms: Theorem1(DiscreteJoint(["x", "n", "input", "z"], outcomes: outcomes)))
  }

  /// Makes the case of independent X ~ N(0, 1) and N ~ N(0, 1/4), and Z = X + N + σW with a standard normal W, in
  /// closed form.
  ///
  /// The entropies are differential; only their difference enters the theorem.
  public static func gaussian(_ sigma: Double) -> TheoremCase {
    let (x, n, w) = (1.0, 0.25, sigma * sigma)
    func information(_ signal: Double, _ noise: Double) -> Double { 0.5 * log1p(signal / noise) }
    let natural = information(x, n + w)
    let adversarial = information(n, x + w)
    let standard = information(x + n, w)
    // I(X; N) = 0, and I(X; N | Z) = I(X; Z | N) − I(X; Z).
    let coInformation = -(information(x, w) - natural)
    let entropy = 0.5 * log(2 * Double.pi * M_E * w)
    return TheoremCase(
      name: "gaussian, σ = \(sigma)",
      description: "X ~ N(0, 1), N ~ N(0, 1/4), independent; Z = X + N + \(sigma)·W",
      terms: Theorem1(
        standard: standard, natural: natural, adversarial: adversarial,
        coInformation: coInformation, entropyGivenParts: entropy, entropyGivenInput: entropy))
  }

  private static func discrete(
    _ name: String, _ description: String, _ z: (Int, Int) -> Int
  ) -> TheoremCase {
    // Z is a function of both parts; X̃ is told apart for all pairs, so that Z is one of X̃ as well.
    let outcomes = [0, 1].flatMap { x in
      [0, 1].map { n in (values: [x, n, 2 * x + n, z(x, n)], weight: 0.25) }
    }
    return TheoremCase(
      name: name, description: description,
      terms: Theorem1(DiscreteJoint(["x", "n", "input", "z"], outcomes: outcomes)))
  }
}
