/// A 95 % interval; in JSON an array of its two ends.
public struct ConfidenceInterval: Codable, Hashable, Sendable {
  /// The lower end.
  public var low: Double
  /// The upper end.
  public var high: Double

  /// The value that a standard normal variable exceeds with a probability of 2.5 %.
  public static let z = 1.959963984540054

  /// Creates an interval from its ends.
  public init(_ low: Double, _ high: Double) {
    self.low = low
    self.high = high
  }

  /// Creates an interval that reaches equally far below and above a value.
  public init(around value: Double, half: Double) {
    self.init(value - half, value + half)
  }

  /// Computes Wilson's interval of a proportion (Wilson, 1927); (0, 1) without samples.
  ///
  /// - Parameters:
  ///   - proportion: Successes over samples.
  ///   - count: The number of samples, or of independent samples with the same variance.
  /// - Returns: An interval within [0, 1].
  public static func wilson(_ proportion: Double, count: Double) -> ConfidenceInterval {
    guard count > 0 else { return ConfidenceInterval(0, 1) }
    let square = z * z
    let center = (proportion + square / (2 * count)) / (1 + square / count)
    let variance = proportion * (1 - proportion) / count + square / (4 * count * count)
    let half = z / (1 + square / count) * variance.squareRoot()
    return ConfidenceInterval(max(center - half, 0), min(center + half, 1))
  }

  /// Computes Wilson's interval of a count of successes.
  public static func wilson(_ successes: Int, of total: Int) -> ConfidenceInterval {
    wilson(Double(successes) / Double(max(total, 1)), count: Double(total))
  }

  /// Both ends, in the order that JSON has them.
  public var ends: [Double] { [low, high] }

  /// Multiplies both ends by a factor, as 100 for percentages.
  public static func * (factor: Double, interval: ConfidenceInterval) -> ConfidenceInterval {
    ConfidenceInterval(factor * interval.low, factor * interval.high)
  }

  /// Subtracts an amount from both ends.
  public static func - (interval: ConfidenceInterval, amount: Double) -> ConfidenceInterval {
    ConfidenceInterval(interval.low - amount, interval.high - amount)
  }

  /// Formats the interval for people: `41.1 – 43.1`.
  public func text(_ number: (Double) -> String) -> String {
    "\(number(low)) – \(number(high))"
  }

  /// Reads an array of two numbers in order.
  public init(from decoder: any Decoder) throws {
    let ends = try [Double](from: decoder)
    guard ends.count == 2, !(ends[0] > ends[1]) else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "an interval is [low, high], not \(ends)"))
    }
    self.init(ends[0], ends[1])
  }

  /// Writes an array of two numbers.
  public func encode(to encoder: any Encoder) throws { try ends.encode(to: encoder) }
}
