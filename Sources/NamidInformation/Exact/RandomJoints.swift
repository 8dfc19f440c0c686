import NamidTorch

/// A check of Theorem 1 on random distributions: the largest difference of its two sides.
public enum RandomJoints {
  /// The way in which Z depends on X, N and X̃.
  public enum Channel: String, CaseIterable, Sendable {
    /// Z is a function of X̃.
    case function
    /// Z is drawn given X̃.
    case noisy
    /// Z is drawn given X and N, so that it can depend on more than X̃, as in a network in training mode.
    case ofBothParts
    /// Z is a function of X + N, and X̃ is independent noise: the identity does not need X̃ to be X + N.
    case unrelatedInput
  }

  /// Draws a distribution of X, N, X̃ = X + N and Z with a few values each.
  public static func joint(_ channel: Channel, stream: RandomStream) -> DiscreteJoint {
    var stream = stream
    func draw(_ range: ClosedRange<Int>) -> Int {
      range.lowerBound + stream.integer(below: range.count)
    }
    func weight() -> Double {
      // Some outcomes are impossible, some rare.
      let u = Double(stream.uniform())
      return u < 0.2 ? 0 : u * u * u + 1e-6
    }
    let (xs, ns, zs) = (draw(2...5), draw(2...5), draw(2...4))
    let z = (0..<(xs + ns)).map { _ in draw(0...(zs - 1)) }
    let noise = (0..<(xs + ns)).map { _ in (0..<zs).map { _ in weight() + 1e-9 } }
    let deep = (0..<(xs * ns)).map { _ in (0..<zs).map { _ in weight() + 1e-9 } }
    var outcomes: [(values: [Int], weight: Double)] = []
    for x in 0..<xs {
      for n in 0..<ns {
        let p = weight() + (x == 0 && n == 0 ? 0.1 : 0)
        let input = x + n
        switch channel {
        case .function: outcomes.append(([x, n, input, z[input]], p))
        case .noisy, .ofBothParts:
          let row = channel == .noisy ? noise[input] : deep[x * ns + n]
          let total = row.reduce(0, +)
          outcomes += row.indices.map { (values: [x, n, input, $0], weight: p * row[$0] / total) }
        case .unrelatedInput:
          outcomes += (0..<3).map { (values: [x, n, $0, z[input]], weight: p * Double($0 + 1)) }
        }
      }
    }
    return DiscreteJoint(["x", "n", "input", "z"], outcomes: outcomes)
  }

  /// Computes the largest |left − right| of Equation 2 over `count` distributions of each kind.
  public static func largestError(
    count: Int, channel: Channel, stream: RandomStream
  ) -> Double {
    (0..<count).reduce(0) { largest, index in
      let joint = joint(channel, stream: stream.keyed(channel.rawValue).keyed(index))
      return max(largest, abs(Theorem1(joint).identityError))
    }
  }
}
