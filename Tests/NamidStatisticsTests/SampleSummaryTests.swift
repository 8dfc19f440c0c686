import NamidStatistics
import Testing

@Suite struct SampleSummaryTests {
  @Test func figuresAreThoseByHand() throws {
    let summary = SampleSummary([1, 2, 4, 9])
    #expect(summary.count == 4 && summary.mean == 4)
    // (9 + 4 + 0 + 25) / 3
    let deviation = try #require(summary.standardDeviation)
    #expect(abs(deviation * deviation - 38.0 / 3) < 1e-12)
    let error = try #require(summary.standardError)
    #expect(abs(error - deviation / 2) < 1e-12)
    #expect(SampleSummary([0.4473, 0.4479, 0.4485]).text(times: 100) == "44.79 ± 0.06 (n = 3)")
  }

  @Test func oneValueHasNoSpread() {
    let summary = SampleSummary([0.5])
    #expect(summary.mean == 0.5 && summary.standardDeviation == nil)
    #expect(summary.standardError == nil)
    #expect(summary.text(digits: 1) == "0.5 (n = 1)")
  }

  /// Quantiles as any table of the distribution has them.
  @Test(arguments: [
    (2, 4.303), (30, 2.042), (31, 2.0395), (40, 2.0211), (100, 1.9840), (1000, 1.9623),
  ])
  func studentsIntervalIsThatOfTheTables(degreesOfFreedom: Int, quantile: Double) throws {
    let summary = SampleSummary((0...degreesOfFreedom).map(Double.init))
    let interval = try #require(summary.studentInterval)
    let error = try #require(summary.standardError)
    #expect(abs((interval.high - summary.mean) / error - quantile) < 6e-4)
  }

  @Test func equalValuesHaveNone() {
    #expect(SampleSummary([2, 2, 2]).standardDeviation == 0)
  }
}
