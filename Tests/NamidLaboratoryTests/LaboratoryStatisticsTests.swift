import Foundation
import NamidStatistics
import Testing
@testable import NamidLaboratory

/// Numbers that look random and are the same every time.
private struct Draws {
  private var state: UInt64 = 1

  mutating func uniform() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) * 0x1p-53
  }

  /// Approximately normal: the sum of twelve uniform numbers less 6.
  mutating func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + uniform() } }
}

/// Samples whose two values share a part, as those of one image do.
private func pairs(_ count: Int, shift: Double, coarse: Bool = false) -> ([Double], [Double]) {
  var draws = Draws()
  var (higher, lower) = ([Double](), [Double]())
  for _ in 0..<count {
    let common = draws.normal()
    let values = [common + draws.normal() + shift, common + draws.normal()]
    // Coarse values have many ties.
    let rounded = coarse ? values.map { ($0 * 2).rounded() / 2 } : values
    higher.append(rounded[0])
    lower.append(rounded[1])
  }
  return (higher, lower)
}

/// The share of all pairs in order, ties counting half, by looking at every pair.
private func bruteForceArea(_ higher: [Double], _ lower: [Double]) -> Double {
  var sum = 0.0
  for high in higher {
    for low in lower { sum += high > low ? 1 : high == low ? 0.5 : 0 }
  }
  return sum / Double(higher.count * lower.count)
}

@Suite("Laboratory statistics") struct LaboratoryStatisticsTests {
  @Test(arguments: [false, true], [-0.5, 0, 1.5])
  func theAreaIsTheShareOfAllPairs(coarse: Bool, shift: Double) throws {
    let (higher, lower) = pairs(157, shift: shift, coarse: coarse)
    let separation = try #require(Separation(higher: higher, lower: lower))
    #expect(abs(separation.area - bruteForceArea(higher, lower)) < 1e-12)
    #expect(separation.interval.low < separation.area && separation.area < separation.interval.high)
  }

  /// Leaving out one sample after another measures the same variance without any formula for it.
  @Test func theVarianceIsThatOfTheJackknife() throws {
    let (higher, lower) = pairs(200, shift: 0.7)
    let separation = try #require(Separation(higher: higher, lower: lower))
    let count = Double(higher.count)
    let without = higher.indices.map { place -> Double in
      var (high, low) = (higher, lower)
      high.remove(at: place)
      low.remove(at: place)
      return bruteForceArea(high, low)
    }
    let mean = without.reduce(0, +) / count
    let jackknife = (count - 1) / count * without.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let variance = Separation.variance(separation.influence)
    #expect(abs(variance / jackknife - 1) < 0.05, "\(variance) and \(jackknife)")
  }

  @Test func pairsOfOneSampleAreNotTreatedAsStrangers() throws {
    // The shared part makes paired values alike; the area's variance must feel it.
    let (higher, lower) = pairs(400, shift: 0.3)
    let paired = try #require(Separation(higher: higher, lower: lower))
    let shuffled = try #require(
      Separation(higher: higher, lower: Array(lower[200...] + lower[..<200])))
    #expect(paired.area == shuffled.area)
    #expect(
      Separation.variance(paired.influence) < 0.8 * Separation.variance(shuffled.influence))
  }

  @Test func pairedFiguresAreCounted() throws {
    let separation = try #require(
      Separation(higher: [3, 1, 2, 5], lower: [1, 2, 2, 1]))
    #expect(separation.ordered.count == 2 && separation.ordered.total == 4)
    #expect(separation.ties == 1)
    #expect(separation.difference.mean == 1.25)
    // Differences 2, −1, 0, 4: deviation √(14.75 / 3).
    #expect(abs((separation.standardised ?? 0) - 1.25 / (14.75 / 3).squareRoot()) < 1e-12)
    #expect(Separation(higher: [1], lower: [0]) == nil)
  }

  @Test func perfectAndNoSeparationHaveSensibleIntervals() throws {
    let perfect = try #require(
      Separation(higher: (0..<50).map { Double($0 + 100) }, lower: (0..<50).map(Double.init)))
    #expect(perfect.area == 1 && perfect.interval.high == 1)
    #expect(perfect.interval.low > 0.9 && perfect.interval.low < 1)
    let none = try #require(
      Separation(
        higher: [Double](repeating: 2, count: 20), lower: [Double](repeating: 2, count: 20)))
    #expect(none.area == 0.5 && none.interval == .wilson(0.5, count: 20) && none.ties == 20)
    #expect(none.standardised == nil)
    // Neither has an influence of any sample, which says nothing about how well the gap is known.
    let few = try #require(Separation(higher: [1, 2], lower: [0, 0]))
    let equal = try #require(Separation(higher: [1, 1], lower: [1, 1]))
    #expect(SeparationGap(few, over: equal).verdict == .undecided)
  }

  @Test func aGapIsJudgedOnTheSameSamples() throws {
    let (higher, lower) = pairs(300, shift: 0.5)
    let weak = try #require(Separation(higher: higher, lower: lower))
    let strong = try #require(Separation(higher: higher.map { $0 + 0.5 }, lower: lower))
    let gap = SeparationGap(strong, over: weak)
    #expect(abs(gap.gap - (strong.area - weak.area)) < 1e-15)
    #expect(gap.verdict == .yes)
    #expect(SeparationGap(weak, over: strong).verdict == .no)
    #expect(SeparationGap(weak, over: weak).verdict == .undecided)
    #expect(SeparationGap(weak, over: weak).interval == ConfidenceInterval(0, 0))
    // As the two separations rise and fall together, their gap is known better than either.
    #expect(gap.interval.high - gap.interval.low < weak.interval.high - weak.interval.low)
  }

  @Test func meansHaveTheirStandardError() throws {
    let mean = MeanInterval([1, 2, 3, 6])
    #expect(mean.mean == 3)
    // Deviation √(14 / 3), standard error half of that.
    let half = ConfidenceInterval.z * (14.0 / 3).squareRoot() / 2
    let ends = try #require(mean.interval)
    #expect(abs(ends.low - 3 + half) < 1e-12 && abs(ends.high - 3 - half) < 1e-12)
    #expect(MeanInterval([4]).interval == nil)
  }
}
