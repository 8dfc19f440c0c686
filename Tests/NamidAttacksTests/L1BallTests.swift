import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct L1BallTests {
  /// min(max(s − λ, 0), r) with the smallest λ ≥ 0 whose sum is at most the radius, by 100 bisections of one row.
  static func oracle(_ sizes: [Double], _ room: [Double], _ radius: Double) -> [Double] {
    func shrunk(_ threshold: Double) -> [Double] {
      zip(sizes, room).map { min(max($0 - threshold, 0), $1) }
    }
    if shrunk(0).reduce(0, +) <= radius { return shrunk(0) }
    var (low, high) = (0.0, sizes.max() ?? 0)
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if shrunk(middle).reduce(0, +) <= radius { high = middle } else { low = middle }
    }
    return shrunk(high)
  }

  struct Problem {
    var name: String
    var sizes: Tensor
    var room: Tensor
  }

  var problems: [Problem] {
    let stream = RandomStream(seed: 3)
    func numbers(_ key: String, _ rows: Int, _ size: Int) -> Tensor {
      Tensor.uniform((0..<rows).map { stream.keyed(key).keyed($0) }, shape: [size]).to(.float64)
    }
    let (size, room) = (numbers("s", 6, 200), numbers("r", 6, 200))
    // Values of very different size, many of them equal, and rooms that are often nothing.
    let steps = (size * 5).floor() / 5
    return [
      Problem(name: "smooth", sizes: size, room: room),
      Problem(name: "small rooms", sizes: size, room: room * 0.02),
      Problem(name: "ties", sizes: steps, room: (room * 3).floor() / 3),
      Problem(name: "all equal", sizes: size.onesLike(), room: size.onesLike()),
      Problem(name: "wide range", sizes: (size * 30).exp() * 1e-9, room: room),
      Problem(name: "one value", sizes: numbers("a", 6, 1), room: numbers("b", 6, 1)),
      Problem(name: "nothing", sizes: size.zerosLike(), room: room),
      Problem(name: "far away", sizes: size + 1e9, room: room),
    ]
  }

  @Test(arguments: [0.0, 1e-6, 0.3, 4, 50, 1000])
  func sizesAreThoseOfTheOracle(_ radius: Double) {
    for problem in problems {
      let found = L1Ball.shrunk(
        problem.sizes, within: problem.room, to: .scalar(radius, dtype: .float64))
      let width = problem.sizes.size(1)
      // Beside 1e9, a threshold has rounding errors of 1e-7 for each of 200 values.
      let slack = problem.name == "far away" ? 1e-5 : 1e-11
      for row in 0..<problem.sizes.size(0) {
        let expected = Self.oracle(
          problem.sizes.select(0, row).doubles, problem.room.select(0, row).doubles, radius)
        let values = found.select(0, row).doubles
        let gap = zip(values, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(gap <= slack, "\(problem.name), \(width) values, radius \(radius)")
        #expect(values.reduce(0, +) <= radius * (1 + 1e-11), "\(problem.name), radius \(radius)")
      }
    }
  }

  @Test func aRowDoesNotDependOnItsNeighbours() {
    // One that is done at once, one that needs many steps.
    for radius in [0.3, 4] {
      let all = problems.filter { $0.sizes.size(1) == 200 }
      let (sizes, room) = (Tensor.cat(all.map(\.sizes)), Tensor.cat(all.map(\.room)))
      let together = L1Ball.shrunk(sizes, within: room, to: .scalar(radius, dtype: .float64))
      for row in 0..<sizes.size(0) {
        let alone = L1Ball.shrunk(
          sizes.slice(row..<row + 1), within: room.slice(row..<row + 1),
          to: .scalar(radius, dtype: .float64))
        expectIdentical(alone, together.slice(row..<row + 1))
      }
    }
  }

  @Test func imagesStayInBallAndBox() {
    let threat = ThreatModel(norm: .l1, epsilon: 2)
    for shape in [[5, 3, 4, 4], [2, 1, 1, 1], [3, 1, 2, 9]] {
      let origins = [
        Tensor.zeros(shape), .ones(shape), .full(shape, 0.5), ClosedForm.picture(shape),
      ]
      for origin in origins {
        for scale in [0.001, 0.5, 100] {
          let far = origin + ClosedForm.tensor("far", shape, scale: scale)
          let near = threat.project(far, around: origin)
          #expect(near.min().item() >= 0 && near.max().item() <= 1 && near.dtype == .float32)
          #expect(threat.size(of: near - origin).doubles.allSatisfy { $0 <= 2 * (1 + 1e-6) })
        }
        expectIdentical(threat.project(origin, around: origin), origin)
      }
    }
  }
}
