import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// Every minimum-norm attack with a budget that tests can afford, at a radius of its own unless given.
func minimumNormAttacks(epsilon: Fraction? = nil) -> [any Attack] {
  let l2 = ThreatModel(norm: .l2, epsilon: epsilon ?? Fraction(0.2))
  let fmn = [(Norm.linf, 0.06), (.l2, 0.2), (.l1, 0.6)].map { norm, radius in
    FMN(threat: ThreatModel(norm: norm, epsilon: epsilon ?? Fraction(radius)), steps: 30)
  }
  return [
    CarliniWagner(
      threat: l2, iterations: 40, searchSteps: 5, learningRate: 0.05, initialConstant: 0.1),
    DDN(threat: l2, steps: 30, initialNorm: 0.4),
    DDN(threat: l2, steps: 20, initialNorm: 0.4, levels: 16),
  ] + fmn
}

/// A network that passes images on to another and keeps them.
final class Recorder {
  private(set) var images: [Tensor] = []
  private let base: LinearClassifier

  init(_ base: LinearClassifier) { self.base = base }

  var classifier: ClosureClassifier {
    ClosureClassifier(classCount: base.classCount) {
      self.images.append($0.detach().clone())
      return self.base.logits($0)
    }
  }
}

/// The smallest perturbation of an image in the box that raises w·x by `gap`, by bisection; nil if there is none.
///
/// The optimum moves each value by as much as its weight is worth, up to the box: in L2 in proportion to the
/// weight, in L∞ by the same for all, in L1 the heaviest first.
func smallestDistance(_ image: [Double], _ weight: [Double], gap: Double, _ norm: Norm) -> Double? {
  let room = zip(image, weight).map { $1 > 0 ? 1 - $0 : $0 }
  let size = weight.map { abs($0) }
  if norm == .l1 {
    var (left, sum) = (gap, 0.0)
    for i in size.indices.sorted(by: { size[$0] > size[$1] }) {
      let move = min(room[i], left / size[i])
      (left, sum) = (left - move * size[i], sum + move)
    }
    return left > 1e-12 ? nil : sum
  }
  func moves(_ scale: Double) -> [Double] {
    zip(size, room).map { min($1, norm == .l2 ? scale * $0 : scale) }
  }
  var (low, high) = (0.0, 1e6)
  for _ in 0..<200 {
    let middle = (low + high) / 2
    let gain = zip(moves(middle), size).reduce(0) { $0 + $1.0 * $1.1 }
    if gain < gap { low = middle } else { high = middle }
  }
  let found = moves(high)
  if zip(found, size).reduce(0, { $0 + $1.0 * $1.1 }) < gap - 1e-9 { return nil }
  return norm == .l2
    ? found.reduce(0) { $0 + $1 * $1 }.squareRoot() : found.max()
}

/// The sizes of perturbations in an attack's norm as `AttackResult.distances` gives them.
func sizes(_ result: AttackResult, _ images: Tensor, _ attack: any Attack) throws -> [Float] {
  let threat = try #require(attack.ball)
  return threat.size(of: result.images.to(.float64) - images.to(.float64)).floats()
}
