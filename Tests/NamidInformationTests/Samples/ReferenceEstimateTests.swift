import Foundation
import NamidTorch
import Testing
@testable import NamidInformation

@Suite(.serialized) struct ReferenceEstimateTests {
  @Test func gaussianSamplesGiveTheirInformation() {
    for correlation in [0.0, 0.5, 0.9] {
      let (x, z) = GaussianPairs(correlation: correlation).sample(
        20_000, RandomStream(seed: 1))
      let expected = GaussianInformation.ofCorrelation(correlation)
      #expect(abs(GaussianInformation.ofSamples(x, z) - expected) < 0.02)
    }
    let pairs = GaussianPairs(information: 2, dimensions: 5)
    let (x, z) = pairs.sample(20_000, RandomStream(seed: 2))
    #expect(abs(GaussianInformation.ofSamples(x, z) - 2) < 0.05)
    #expect(
      abs(5 * GaussianInformation.ofCorrelation(pairs.correlation) - 2) < 1e-12)
    // Scale and place do not matter; a combination of columns is infinite information.
    let moved = GaussianInformation.ofSamples(x * 1e-3 + 5, z * 100)
    #expect(abs(moved - GaussianInformation.ofSamples(x, z)) < 1e-9)
  }

  @Test func nearestNeighboursGiveGaussianInformation() {
    for correlation in [0.0, 0.75] {
      let (x, z) = GaussianPairs(correlation: correlation).sample(2000, RandomStream(seed: 4))
      let estimate = KSG.ofSamples(x, z)
      #expect(abs(estimate - GaussianInformation.ofCorrelation(correlation)) < 0.06)
      #expect(abs(KSG.ofSamples(x, z, block: 700) - estimate) < 1e-12)
    }
  }

  @Test func nearestNeighboursAgreeWithTheDefinition() {
    let (x, z) = GaussianPairs(correlation: 0.6).sample(40, RandomStream(seed: 6))
    let (xs, zs) = (x.array(of: Double.self), z.array(of: Double.self))
    func digamma(_ n: Int) -> Double {
      (1..<max(n, 1)).reduce(-0.5772156649015329) { $0 + 1 / Double($1) }
    }
    var sum = 0.0
    for i in 0..<40 {
      let distances = (0..<40).filter { $0 != i }.map {
        max(abs(xs[i] - xs[$0]), abs(zs[i] - zs[$0]))
      }.sorted()
      let radius = distances[2]
      let inX = (0..<40).filter { $0 != i && abs(xs[i] - xs[$0]) < radius }.count
      let inZ = (0..<40).filter { $0 != i && abs(zs[i] - zs[$0]) < radius }.count
      sum += digamma(inX + 1) + digamma(inZ + 1)
    }
    let expected = digamma(3) + digamma(40) - sum / 40
    #expect(abs(KSG.ofSamples(x, z, neighbours: 3) - expected) < 1e-12)
  }

  @Test func countsGivePlugInInformation() {
    let same = PlugInInformation([0, 1, 2, 0, 1, 2], [2, 0, 1, 2, 0, 1])
    #expect(abs(same.plugIn - log(3)) < 1e-12)
    #expect(abs(same.corrected - (log(3) + 2.0 / 12)) < 1e-12)
    let full = PlugInInformation([0, 0, 1, 1], [0, 1, 0, 1])
    #expect(abs(full.plugIn) < 1e-12 && abs(full.corrected + 1.0 / 8) < 1e-12)
    #expect(PlugInInformation([], []).plugIn == 0)
    // Independent draws: the plug-in value is (K − 1)² / 2N too high on average.
    var stream = RandomStream(seed: 8)
    let (a, b) = (0..<2000).reduce(into: ([Int](), [Int]())) { lists, _ in
      lists.0.append(stream.integer(below: 10))
      lists.1.append(stream.integer(below: 10))
    }
    let chance = PlugInInformation(a, b)
    #expect(abs(chance.plugIn - 81.0 / 4000) < 0.01 && abs(chance.corrected) < 0.01)
  }
}
