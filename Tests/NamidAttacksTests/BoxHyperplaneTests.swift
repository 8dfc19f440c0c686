import Foundation
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct BoxHyperplaneTests {
  /// Normals, points in the box, some of them on its faces, and values from near to out of reach.
  func problem(rows: Int = 24, features: Int = 13) -> (
    normal: Tensor, points: Tensor, value: Tensor
  ) {
    let waves = ClosedForm.tensor("normal", [rows, features]).to(.float64)
    // A few coordinates without weight, others with ten thousand times less than the largest.
    let grades = Tensor((0..<features).map { [1, 1, 1e-4, 0.3, 0][$0 % 5] }, shape: [features])
    let points = ClosedForm.tensor("points", [rows, features], scale: 0.7, offset: 0.5)
      .to(.float64).clamp(min: 0, max: 1)
    let values = (0..<rows).map { row in
      let size = pow(1.6, Double(row - 16))
      return row % 2 == 0 ? size : -size
    }
    return (waves * grades, points, Tensor(values, shape: [rows]))
  }

  @Test(arguments: Norm.allCases) func displacementsAreThoseOfTheOracle(_ norm: Norm) {
    let (normal, points, value) = problem()
    let plane = BoxHyperplane(value: value, gradient: normal, at: points)
    let found = plane.displacement(from: points, norm: norm)
    var reached = 0
    for row in 0..<24 {
      let oracle = BoxOracle(
        normal: normal.select(0, row).doubles, point: points.select(0, row).doubles,
        value: value.doubles[row])
      let expected = oracle.displacement(norm)
      expectClose(found.select(0, row).doubles, expected, rtol: 1e-9, atol: 1e-11, "row \(row)")
      let gain = zip(oracle.normal, expected).reduce(0) { $0 + $1.0 * $1.1 }
      if Swift.abs(oracle.value + gain) < 1e-9 { reached += 1 }
    }
    // The problem has rows of both kinds.
    #expect(reached > 12 && reached < 24)
  }

  @Test(arguments: Norm.allCases) func noOtherWayIsShorter(_ norm: Norm) {
    // Random ways to the hyperplane within the box, made feasible by moving along the normal.
    let (normal, points, value) = problem(rows: 16)
    let threat = ThreatModel(norm: norm, epsilon: 1)
    let plane = BoxHyperplane(value: value, gradient: normal, at: points)
    let best = threat.size(of: plane.displacement(from: points, norm: norm)).doubles
    var compared = 0
    for trial in 0..<400 {
      let noise = Tensor.normal(
        (0..<16).map { RandomStream(seed: trial).keyed($0) }, shape: [13]
      ).to(.float64)
      let there = (points + noise * pow(0.7, Double(trial % 20))).clamp(min: 0, max: 1)
      let back = BoxHyperplane(
        value: value + (normal * (there - points)).sum([1]), gradient: normal, at: there)
      let way = there + back.displacement(from: there, norm: .l2) - points
      let left = (value + (normal * way).sum([1])).abs().doubles
      let sizes = threat.size(of: way).doubles
      for row in 0..<16 where left[row] < 1e-12 {
        compared += 1
        #expect(sizes[row] >= best[row] - 1e-9)
      }
    }
    #expect(compared > 2000)
  }

  @Test(arguments: Norm.allCases) func otherPointsUseTheSameFunction(_ norm: Norm) {
    let (normal, points, value) = problem()
    let others = ClosedForm.tensor("others", [24, 13], scale: 0.4, offset: 0.5).to(.float64)
    let plane = BoxHyperplane(value: value, gradient: normal, at: points)
    let there = BoxHyperplane(
      value: value + (normal * (others - points)).sum([1]), gradient: normal, at: others)
    expectClose(
      plane.displacement(from: others, norm: norm), there.displacement(from: others, norm: norm),
      rtol: 1e-8, atol: 1e-10)
  }

  @Test(arguments: Norm.allCases) func gradientsOfAnySizeDo(_ norm: Norm) {
    let (normal, points, value) = problem()
    let (single, place) = (normal.to(.float32), points.to(.float32))
    func found(_ scale: Double) -> Tensor {
      BoxHyperplane(
        value: value.to(.float32) * scale, gradient: single * scale, at: place
      ).displacement(from: place, norm: norm)
    }
    // Powers of two change nothing but the exponent.
    for scale in [0x1p-80, 0x1p-30, 0x1p60] { expectIdentical(found(scale), found(1)) }
  }

  @Test(arguments: Norm.allCases) func singlePrecisionIsEnough(_ norm: Norm) {
    let features = 3072
    let waves = ClosedForm.tensor("waves", [8, features])
    let points = ClosedForm.tensor("points", [8, features], scale: 0.6, offset: 0.5)
      .clamp(min: 0, max: 1)
    let value = Tensor((0..<8).map { Float(pow(3.5, Double($0)) * 0.1) }, shape: [8])
    let plane = BoxHyperplane(value: value, gradient: waves, at: points)
    let found = plane.displacement(from: points, norm: norm)
    let exact = BoxHyperplane(
      value: value.to(.float64), gradient: waves.to(.float64), at: points.to(.float64)
    ).displacement(from: points.to(.float64), norm: norm)
    let threat = ThreatModel(norm: norm, epsilon: 1)
    expectClose(threat.size(of: found), threat.size(of: exact), rtol: 1e-5)
    let landed = points + found
    #expect(landed.min().item() >= 0 && landed.max().item() <= 1)
  }

  @Test(arguments: Norm.allCases) func whereThereIsNoDirectionThereIsNoWay(_ norm: Norm) {
    let points = ClosedForm.picture([3, 5])
    let flat = BoxHyperplane(
      value: Tensor([Float(-1), 0, 1e30], shape: [3]), gradient: .zeros([3, 5]), at: points)
    #expect(flat.displacement(from: points, norm: norm).abs().max().item() == 0)
    let there = BoxHyperplane(value: .zeros([3]), gradient: .ones([3, 5]), at: points)
    #expect(there.displacement(from: points, norm: norm).abs().max().item() == 0)
  }

  @Test(arguments: Norm.allCases) func whatCannotBeReachedIsApproachedToTheCorner(_ norm: Norm) {
    let points = Tensor([Float(0.2), 0.5, 1, 0], shape: [1, 4])
    let normal = Tensor([Float(1), -2, -3, 0.5], shape: [1, 4])
    for value in [Float(50), .greatestFiniteMagnitude] {
      let plane = BoxHyperplane(
        value: Tensor([value], shape: [1]), gradient: normal, at: points)
      #expect(plane.displacement(from: points, norm: norm).floats() == [-0.2, 0.5, 0, 0])
    }
  }

  @Test(arguments: Norm.allCases) func rowsDoNotDependOnEachOther(_ norm: Norm) {
    let (normal, points, value) = problem()
    let (single, place) = (normal.to(.float32), points.to(.float32))
    let all = BoxHyperplane(value: value.to(.float32), gradient: single, at: place)
      .displacement(from: place, norm: norm)
    for row in 0..<24 {
      let own = place.slice(row..<row + 1)
      let alone = BoxHyperplane(
        value: value.to(.float32).slice(row..<row + 1), gradient: single.slice(row..<row + 1),
        at: own
      ).displacement(from: own, norm: norm)
      expectIdentical(alone, all.slice(row..<row + 1))
    }
  }
}
