import NamidFiles
import NamidSettings
import NamidStatistics
import Testing

/// Wilson's interval against closed forms and published values.
@Suite struct StatisticsTests {
  private let z = 1.959963984540054

  /// Without a success the interval is 0 to z²/(n + z²), and with nothing else its mirror image.
  @Test(arguments: [1, 10, 100, 10_000])
  func noneAndAll(total: Int) {
    let edge = z * z / (Double(total) + z * z)
    let none = ConfidenceInterval.wilson(0, of: total)
    #expect(none.low >= 0 && none.low < 1e-12)
    #expect(abs(none.high - edge) < 1e-12)
    let all = ConfidenceInterval.wilson(total, of: total)
    #expect(all.high <= 1 && all.high > 1 - 1e-12)
    #expect(abs(all.low - (1 - edge)) < 1e-12)
  }

  /// For one half the interval is ½ ± z/(2√(n + z²)).
  @Test(arguments: [2, 10, 1000])
  func oneHalf(total: Int) {
    let half = z / (2 * (Double(total) + z * z).squareRoot())
    let interval = ConfidenceInterval.wilson(total / 2, of: total)
    #expect(abs(interval.low - (0.5 - half)) < 1e-12)
    #expect(abs(interval.high - (0.5 + half)) < 1e-12)
  }

  /// Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  @Test func publishedValues() {
    for (successes, total, low, high) in [
      (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611),
      (1, 29, 0.0061, 0.1718),
    ] {
      let interval = ConfidenceInterval.wilson(successes, of: total)
      #expect(abs(interval.low - low) < 5e-5, "\(successes)/\(total)")
      #expect(abs(interval.high - high) < 5e-5, "\(successes)/\(total)")
    }
  }

  @Test func nothingIsKnownWithoutSamples() {
    let interval = ConfidenceInterval.wilson(0, of: 0)
    #expect(interval.low == 0 && interval.high == 1)
  }

  @Test func medians() {
    #expect(Statistics.median([]) == nil)
    #expect(Statistics.median([3]) == 3)
    #expect(Statistics.median([5, 1, 3]) == 3)
    #expect(Statistics.median([4, 1, 3, 2]) == 2.5)
    #expect(Statistics.median([1, .infinity, .infinity]) == .infinity)
  }

  /// An interval from a file has two ends in order, or is refused.
  @Test func anIntervalIsTwoEndsInOrder() throws {
    let interval = ConfidenceInterval(0.25, 0.5)
    let tree = try JSONValue(encoding: interval)
    #expect(tree == [0.25, 0.5])
    #expect(try tree.decode(ConfidenceInterval.self) == interval)
    #expect(interval.text { "\($0)" } == "0.25 – 0.5")
    for wrong: JSONValue in [[], [0.25], [0.5, 0.25], [0.25, 0.5, 1], "0.25"] {
      #expect(throws: (any Error).self) { try wrong.decode(ConfidenceInterval.self) }
    }
  }
}
