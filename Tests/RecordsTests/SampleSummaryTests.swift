import Records
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

  @Test func equalValuesHaveNone() {
    #expect(SampleSummary([2, 2, 2]).standardDeviation == 0)
  }
}
