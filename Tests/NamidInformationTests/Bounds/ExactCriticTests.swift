import Foundation
import NamidTorch
import Testing

@testable import NamidInformation

/// Independent pairs of Gaussians, of which log r and log p(z | x) are known.
struct GaussianPairs {
  let correlation: Double
  let dimensions: Int

  init(information: Double, dimensions: Int = 20) {
    correlation = (-expm1(-2 * information / Double(dimensions))).squareRoot()
    self.dimensions = dimensions
  }

  init(correlation: Double) { (self.correlation, dimensions) = (correlation, 1) }

  /// N pairs, (N, dimensions) each, float64.
  func sample(_ count: Int, _ stream: RandomStream) -> (x: Tensor, z: Tensor) {
    let both = Tensor.normal([stream], shape: [2, count, dimensions]).squeeze(0).to(.float64)
    let x = both.select(0, 0)
    let noise = (1 - correlation * correlation).squareRoot()
    return (x, x * correlation + both.select(0, 1) * noise)
  }

  /// log p(z_j | x_i), (N, N).
  func logConditional(_ x: Tensor, _ z: Tensor) -> Tensor {
    let variance = 1 - correlation * correlation
    let squares = (z.unsqueeze(0) - x.unsqueeze(1) * correlation).square().sum([2])
    let constant: Double = 0.5 * Double(dimensions) * log(2 * Double.pi * variance)
    return squares * (-0.5 / variance) - constant
  }

  /// log r of all pairs, (N, N).
  func logRatio(_ x: Tensor, _ z: Tensor) -> Tensor {
    let constant: Double = 0.5 * Double(dimensions) * log(2 * Double.pi)
    let marginal = z.square().sum([1]) * -0.5 - constant
    return logConditional(x, z) - marginal
  }
}

@Suite(.serialized) struct ExactCriticTests {
  struct Row: Sendable {
    let size: Int
    let information: Double
    let infoNCE, infoNCESpread: Double
    let dv, dvSpread: Double
    let smile, leaveOneOut, authors, club, jsd: Double
  }

  /// The exact critic on 20 independent pairs: means over 200 batches, and the spread of one batch.
  static let rows = [
    Row(
      size: 64, information: 2, infoNCE: 1.83, infoNCESpread: 0.20, dv: 2.03, dvSpread: 0.26,
      smile: 2.05, leaveOneOut: 2.18, authors: 2.16, club: 4.43, jsd: 0.71),
    Row(
      size: 64, information: 4, infoNCE: 3.07, infoNCESpread: 0.17, dv: 4.06, dvSpread: 0.42,
      smile: 4.28, leaveOneOut: 4.74, authors: 4.68, club: 9.84, jsd: 1.06),
    Row(
      size: 64, information: 6, infoNCE: 3.75, infoNCESpread: 0.13, dv: 6.26, dvSpread: 0.63,
      smile: 6.72, leaveOneOut: 7.84, authors: 7.56, club: 16.44, jsd: 1.24),
    Row(
      size: 64, information: 8, infoNCE: 4.02, infoNCESpread: 0.07, dv: 8.67, dvSpread: 0.99,
      smile: 9.31, leaveOneOut: 11.65, authors: 10.54, club: 24.51, jsd: 1.32),
    Row(
      size: 64, information: 10, infoNCE: 4.12, infoNCESpread: 0.04, dv: 11.47, dvSpread: 1.4,
      smile: 12.15, leaveOneOut: 16.29, authors: 13.37, club: 34.37, jsd: 1.36),
    Row(
      size: 128, information: 4, infoNCE: 3.35, infoNCESpread: 0.14, dv: 4.03, dvSpread: 0.29,
      smile: 4.28, leaveOneOut: 4.52, authors: 4.50, club: 9.84, jsd: 1.06),
    Row(
      size: 128, information: 8, infoNCE: 4.63, infoNCESpread: 0.06, dv: 8.40, dvSpread: 0.74,
      smile: 9.32, leaveOneOut: 10.87, authors: 10.39, club: 24.51, jsd: 1.32),
    Row(
      size: 256, information: 4, infoNCE: 3.54, infoNCESpread: 0.12, dv: 4.01, dvSpread: 0.19,
      smile: 4.26, leaveOneOut: 4.34, authors: 4.33, club: 9.84, jsd: 1.06),
    Row(
      size: 256, information: 10, infoNCE: 5.43, infoNCESpread: 0.03, dv: 10.47, dvSpread: 0.82,
      smile: 11.98, leaveOneOut: 14.10, authors: 13.29, club: 34.37, jsd: 1.36),
  ]

  @Test(arguments: rows) func theTableIsReproduced(_ row: Row) {
    let pairs = GaussianPairs(information: row.information)
    let batches = 200
    var values: [String: [Double]] = [:]
    for batch in 0..<batches {
      let (x, z) = pairs.sample(row.size, RandomStream(seed: 3).keyed(row.size).keyed(batch))
      let ratio = pairs.logRatio(x, z)
      for bound in InformationBound.all {
        let scores =
          switch bound.name {
          case "nwj": ratio + 1
          case "club": pairs.logConditional(x, z)
          default: ratio
          }
        values[bound.name, default: []].append(bound.value(scores).item())
      }
    }
    func expectMean(_ name: String, _ expected: Double, spread: Double?) {
      let list = values[name, default: []]
      let mean = list.reduce(0, +) / Double(list.count)
      let own = (list.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(list.count - 1))
        .squareRoot()
      // Two means of 200 batches each; the table is rounded to two digits.
      let allowed = 3 * (spread ?? own) * (2 / Double(batches)).squareRoot() + 0.006
      #expect(abs(mean - expected) <= allowed, "\(name): \(mean) for \(expected)")
      if let spread { #expect(own < 1.35 * spread + 0.01, "\(name): spread \(own)") }
      #expect(list.allSatisfy { $0.isFinite })
    }
    expectMean("infonce", row.infoNCE, spread: row.infoNCESpread)
    expectMean("dv", row.dv, spread: row.dvSpread)
    expectMean("smile", row.smile, spread: nil)
    expectMean("leave-one-out", row.leaveOneOut, spread: nil)
    expectMean("authors", row.authors, spread: nil)
    expectMean("club", row.club, spread: nil)
    expectMean("jsd", row.jsd, spread: nil)
    #expect(values["infonce", default: []].allSatisfy { $0 <= log(Double(row.size)) })
  }

  @Test func closedFormsOfOnePair() {
    // Correlation, I, the Jensen-Shannon objective at its optimum, CLUB with the true conditional.
    let table = [
      (0.0, 0.0, 0.0, 0.0), (0.3, 0.047155, 0.023828, 0.098901),
      (0.5, 0.143841, 0.073842, 0.333333), (0.6, 0.223144, 0.115547, 0.5625),
      (0.75, 0.413339, 0.216149, 1.285714), (0.8, 0.510826, 0.267288, 1.777778),
      (0.9, 0.830366, 0.429106, 4.263158),
    ]
    for (correlation, information, jsd, club) in table {
      #expect(abs(GaussianInformation.ofCorrelation(correlation) - information) < 1e-6)
      let grid = Grid(correlation)
      #expect(abs(grid.jensenShannon - jsd) < 1e-3, "\(correlation): \(grid.jensenShannon)")
      #expect(abs(grid.club - club) < 1e-3, "\(correlation): \(grid.club)")
    }
  }

  /// Expectations under P and Q on a fine grid, with the bounds' own formulas on one score at a time.
  struct Grid {
    let jensenShannon: Double
    let club: Double

    init(_ correlation: Double) {
      let (step, reach) = (0.05, 7.0)
      let points = Array(stride(from: -reach, through: reach, by: step))
      let axis = Tensor(points, shape: [points.count])
      let pairs = GaussianPairs(correlation: correlation)
      let column = axis.unsqueeze(1)
      let density =
        (column.square() * -0.5).exp().squeeze(1) * (step / (2 * Double.pi).squareRoot())
      let product = density.unsqueeze(1) * density
      let ratio = pairs.logRatio(column, column)
      let joint = product * ratio.exp()
      func expectation(_ weights: Tensor, _ f: Tensor) -> Double { (weights * f).sum().item() }
      jensenShannon =
        2 * log(2) - expectation(joint, (-ratio).softplus())
        - expectation(product, ratio.softplus())
      let conditional = pairs.logConditional(column, column)
      club = expectation(joint, conditional) - expectation(product, conditional)
    }
  }
}
