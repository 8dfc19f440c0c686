import Foundation

/// A summary of several runs of one experiment: mean, spread and number.
public struct SampleSummary: Codable, Hashable, Sendable {
  /// The number of values.
  public let count: Int
  /// The mean of the values; not a number without values.
  public let mean: Double
  /// The standard deviation with n − 1 in the denominator; nil for fewer than two values.
  public let standardDeviation: Double?

  /// Sums up values, one per run.
  public init(_ values: [Double]) {
    count = values.count
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardDeviation =
      values.count < 2 ? nil : (squares / Double(values.count - 1)).squareRoot()
  }

  /// The standard error of the mean; nil for fewer than two values.
  public var standardError: Double? {
    standardDeviation.map { $0 / Double(count).squareRoot() }
  }

  /// Formats the figures times a factor, as 100 for percentages.
  ///
  /// - Parameters:
  ///   - factor: The factor for mean and deviation.
  ///   - digits: Digits after the point.
  /// - Returns: `44.79 ± 0.51 (n = 3)`; without the deviation for a single run.
  public func text(times factor: Double = 1, digits: Int = 2) -> String {
    let number = { (value: Double) in String(format: "%.\(digits)f", factor * value) }
    let spread = standardDeviation.map { " ± " + number($0) } ?? ""
    return "\(number(mean))\(spread) (n = \(count))"
  }
}
