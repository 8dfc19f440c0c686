import Foundation
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct SquareTests {
  let threats = [
    ThreatModel(norm: .linf, epsilon: 0.05), ThreatModel(norm: .l2, epsilon: 0.3),
    ThreatModel(norm: .l1, epsilon: 1.5),
  ]

  // MARK: The schedule

  @Test func windowsShrinkAfterTheProposalsOfThePaper() {
    let attack = Square(threat: threats[0])
    for (halvings, edge) in [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].enumerated() {
      for (query, halvings) in [(edge, halvings), (edge + 1, halvings + 1)] {
        let share = 0.8 / Double(1 << halvings)
        #expect(
          attack.side(at: query, height: 2048, width: 2048)
            == Int((share.squareRoot() * 2048).rounded()), "\(query)")
      }
    }
    #expect(attack.side(at: 0, height: 32, width: 32) == 29)
    #expect(attack.side(at: 4999, height: 32, width: 32) == 3)
    #expect(attack.side(at: 9999, height: 32, width: 32) == 1)
    #expect(attack.side(at: 9999, height: 4, width: 4) == 1)
    #expect(attack.side(at: 0, height: 3, width: 40) == 3)
  }

  @Test func theScheduleCanBeStretched() {
    let attack = Square(threat: threats[0], queries: 1000, rescaleSchedule: true)
    let whole = Square(threat: threats[0], queries: 10_000, rescaleSchedule: true)
    for query in 0..<1000 {
      let side = attack.side(at: query, height: 500, width: 500)
      #expect(side == whole.side(at: query * 10, height: 500, width: 500))
      #expect(
        side == Square(threat: threats[0]).side(at: query * 10, height: 500, width: 500))
    }
  }

  @Test(arguments: [Norm.l2, .l1]) func patternsHaveOddSides(_ norm: Norm) {
    let attack = Square(threat: ThreatModel(norm: norm, epsilon: 1))
    // √(0.8·1024) is 28.6, √(0.4·1024) is 20.2.
    #expect(attack.side(at: 0, height: 32, width: 32) == 29)
    #expect(attack.side(at: 11, height: 32, width: 32) == 21)
    #expect(attack.side(at: 9999, height: 32, width: 32) == 3)
    #expect(attack.side(at: 0, height: 2, width: 9) == 2)
    #expect(attack.side(at: 0, height: 1, width: 1) == 1)
  }

  // MARK: Windows and patterns

  @Test func windowsLieAnywhereInTheImage() {
    let draws = SquareDraws(
      (0..<400).map { RandomStream(seed: $0) }, from: 7, sides: [3], norm: .linf,
      like: .zeros([1, 1, 5, 8]))
    let windows = draws[7].window
    let (mask, places) = (windows.mask, windows.places)
    #expect(mask.shape == [400, 1, 5, 8] && places.shape == [400, 1, 9])
    var corners: [Int: Int] = [:]
    let (marks, spots) = (mask.bools(), places.ints())
    for row in 0..<400 {
      let marked = (0..<40).filter { marks[row * 40 + $0] }
      #expect(marked == Array(spots[row * 9..<row * 9 + 9]))
      let (top, left) = (marked[0] / 8, marked[0] % 8)
      #expect(
        marked == (0..<9).map { (top + $0 / 3) * 8 + left + $0 % 3 }, "not a square: \(marked)")
      corners[marked[0], default: 0] += 1
    }
    // All 3 · 6 places, the last row and column among them, about equally often (22 of 400).
    #expect(corners.count == 18 && corners.values.allSatisfy { (6...46).contains($0) })
  }

  @Test func patternsFollowTheirDefinition() {
    // Side 3: above, one row with its centre in the middle; below, two rows centred in the lower one.
    for (norm, far) in [(Norm.l2, 0.25), (.l1, 0.0625)] {
      let (upper, lower) = ([far, 1 + far, far], [far, far, far, far, 1 + far, far])
      func size(_ values: [Double]) -> Double {
        norm == .l1
          ? values.reduce(0, +) : values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
      let half = norm == .l1 ? 2.0 : 2.0.squareRoot()
      let expected =
        upper.map { $0 / size(upper) / half } + lower.map { -$0 / size(lower) / half }
      expectClose(SquarePattern.values(side: 3, norm: norm).doubles, expected, rtol: 1e-6)
      // Larger sides: bumps as sums of squares around the centre, one per distance.
      for side in [1, 2, 4, 5, 8, 11] {
        let found = SquarePattern.values(side: side, norm: norm).doubles
        #expect(Swift.abs(size(found.map { Swift.abs($0) }) - 1) < 1e-6)
        let lowerHeight = side - side / 2
        var bump = [Double](repeating: 0, count: lowerHeight * side)
        for distance in 0...max(lowerHeight / 2, side / 2) {
          let gain = 1 / pow(Double(distance + 1), norm == .l2 ? 2 : 4)
          for row in 0..<lowerHeight where Swift.abs(row - lowerHeight / 2) <= distance {
            for column in 0..<side where Swift.abs(column - side / 2) <= distance {
              bump[row * side + column] += gain
            }
          }
        }
        let below = Array(found[(side / 2 * side)...])
        expectClose(
          below.map { -$0 / size(below.map { Swift.abs($0) }) }, bump.map { $0 / size(bump) },
          rtol: 1e-5)
      }
    }
  }

  // MARK: Proposals

  @Test func stripesAndSquaresHaveOneSignPerChannel() {
    let attack = Square(threat: threats[0])
    let patterns = SquarePatterns(norm: .linf, device: .cpu)
    let origin = Tensor.full([40, 2, 6, 5], 0.5)
    var draws = streams(Array(0..<40))
    let first = attack.first(around: origin, &draws)
    // Columns of ±ε, independent of each other.
    let stripes = ((first - origin) / 0.05).round()
    expectIdentical(stripes, stripes.slice(0..<1, dim: 2).expand([40, 2, 6, 5]).clone())
    expectIdentical(stripes.abs(), .ones([40, 2, 6, 5]))
    let sum = stripes.select(2, 0).sum().item()
    #expect(Swift.abs(sum) < 80 && stripes.select(2, 0).sum([0]).abs().max().item() < 30)

    for (side, box) in [(1, 0.5), (3, 0.5), (5, 0.98)] {
      let origin = Tensor.full([40, 2, 6, 5], box)
      let draws = SquareDraws(
        streams(Array(0..<40)), from: side, sides: [side], norm: .linf, like: origin)
      let next = attack.proposal(from: origin, around: origin, draws[side], patterns)
      let changes = next - origin
      for row in 0..<40 {
        for channel in 0..<2 {
          let values = changes.select(0, row).select(0, channel).doubles
          let changed = values.indices.filter { values[$0] != 0 }
          let top = changed[0] / 5
          let left = changed[0] % 5
          #expect(
            changed == (0..<side * side).map { (top + $0 / side) * 5 + left + $0 % side })
          let sizes = Set(changed.map { values[$0] })
          #expect(sizes.count == 1)
          let size = sizes.first ?? 0
          #expect(
            Swift.abs(size - 0.05) < 1e-6 || Swift.abs(size + 0.05) < 1e-6
              || Swift.abs(size - 0.02) < 1e-6)
        }
      }
    }
  }

  @Test(arguments: [Norm.l2, .l1]) func gridsOfPatternsFillTheBall(_ norm: Norm) {
    let threat = ThreatModel(norm: norm, epsilon: 0.4)
    for shape in [[6, 2, 11, 11], [4, 1, 7, 12], [3, 3, 2, 2], [2, 1, 1, 6]] {
      var draws = streams(Array(0..<shape[0]))
      let origin = Tensor.full(shape, 0.5)
      let first = Square(threat: threat).first(around: origin, &draws)
      expectClose(
        threat.size(of: first - origin).doubles, [Double](repeating: 0.4, count: shape[0]),
        rtol: 1e-5)
      // Two samples get different signs.
      #expect((first.select(0, 0) - first.select(0, 1)).abs().max().item() > 0)
    }
    if norm == .l1 { return }
    // An image of 11 × 11 has 5 × 5 tiles of side 2 and a margin of 0 and 1.
    var draws = streams([3])
    let origin = Tensor.full([1, 1, 11, 11], 0.5)
    let delta = Square(threat: threat).first(around: origin, &draws) - origin
    #expect(delta.select(3, 10).abs().max().item() == 0)
    #expect(delta.slice(0..<10, dim: 2).slice(0..<10, dim: 3).abs().min().item() > 0)
  }

  /// The step in L2 and L1 as the paper gives it, for one channel of one row on the host.
  @Test(arguments: [Norm.l2, .l1]) func stepsMoveMassAsInThePaper(_ norm: Norm) throws {
    let shape = [8, 2, 6, 7]
    let epsilon = 0.5
    let threat = ThreatModel(norm: norm, epsilon: Fraction(epsilon))
    let attack = Square(threat: threat)
    let origin = Tensor.full(shape, 0.5)
    // Some rows leave a part of the ball unused.
    let noise = ClosedForm.tensor("noise", shape)
    let shares = Tensor((0..<8).map { Float($0 % 2 == 0 ? 0.5 : 0.3) }, shape: [8, 1, 1, 1])
    let sizes = threat.size(of: noise).reshape([8, 1, 1, 1])
    let current = origin + noise / sizes * shares
    let draw = SquareDraws(
      streams(Array(0..<8)), from: 0, sides: [3], norm: norm, like: origin)[0]
    let next =
      (attack.proposal(
        from: current, around: origin, draw, SquarePatterns(norm: norm, device: .cpu)) - origin)
      .doubles
    let (window, signs) = (draw.window, draw.signs.doubles)
    let (source, isTurned) = try #require(draw.move)
    let turned = isTurned.bools()
    #expect(Set(turned).count == 2 && Set(signs).count == 2)
    let pattern = SquarePattern.values(side: 3, norm: norm).doubles
    let delta = (current - origin).doubles
    let (inWindow, inSource) = (window.mask.bools(), source.mask.bools())
    let spots = window.places.ints()
    func size(_ values: [Double]) -> Double {
      norm == .l1
        ? values.reduce(0) { $0 + Swift.abs($1) }
        : values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    for row in 0..<8 {
      let whole = size(Array(delta[row * 84..<row * 84 + 84]))
      var expected: [Double] = []
      for channel in 0..<2 {
        var values = Array(delta[(row * 2 + channel) * 42..<(row * 2 + channel + 1) * 42])
        let places = Array(spots[row * 9..<row * 9 + 9])
        let old = places.map { values[$0] }
        let mass = size(
          values.indices.filter { inWindow[row * 42 + $0] || inSource[row * 42 + $0] }
            .map { values[$0] })
        var new = (0..<9).map { place -> Double in
          let turnedPlace = turned[row] ? place % 3 * 3 + place / 3 : place
          return pattern[turnedPlace] * signs[row * 2 + channel] + old[place] / size(old)
        }
        let length =
          norm == .l1
          ? (max(epsilon - whole, 0) / 2 + mass) * 2
          : (max(epsilon * epsilon - whole * whole, 0) / 2 + mass * mass).squareRoot()
        let newSize = size(new)
        new = new.map { $0 / newSize * length }
        for i in values.indices where inSource[row * 42 + i] { values[i] = 0 }
        for (place, value) in zip(places, new) { values[place] = value }
        expected += values
      }
      if norm == .l2 {
        let length = size(expected)
        expected = expected.map { $0 / length * epsilon }
      } else {
        let image = Tensor(expected.map { Float($0 + 0.5) }, shape: [1, 2, 6, 7])
        expected = (threat.project(image, around: .full([1, 2, 6, 7], 0.5)) - 0.5).doubles
      }
      expectClose(
        Array(next[row * 84..<row * 84 + 84]), expected, rtol: 1e-4, atol: 1e-6, "row \(row)")
    }
  }
}
