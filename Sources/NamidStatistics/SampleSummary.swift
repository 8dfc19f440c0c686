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

extension SampleSummary {
  /// Student's 95 % interval of the mean; nil for fewer than two values.
  public var studentInterval: ConfidenceInterval? {
    standardError.map { error in
      ConfidenceInterval(
        around: mean, half: StudentT.quantile975(degreesOfFreedom: count - 1) * error)
    }
  }
}

/// Quantiles of Student's t distribution.
private enum StudentT {
  /// The 97.5 % quantiles for 1 to 30 degrees of freedom (any table of the distribution).
  private static let table = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
  ]

  /// Computes the value that a t variable exceeds with a probability of 2.5 %.
  ///
  /// Beyond the table the series in 1/ν around the normal distribution's z (Abramowitz and Stegun, 26.7.5), whose error
  /// is below 10⁻⁶ there.
  static func quantile975(degreesOfFreedom: Int) -> Double {
    precondition(degreesOfFreedom >= 1, "\(degreesOfFreedom) degrees of freedom")
    if degreesOfFreedom <= table.count { return table[degreesOfFreedom - 1] }
    let (z, ν) = (ConfidenceInterval.z, Double(degreesOfFreedom))
    let first = (pow(z, 3) + z) / 4
    let second = (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / 96
    let third = (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * pow(z, 3) - 15 * z) / 384
    return z + first / ν + second / (ν * ν) + third / (ν * ν * ν)
  }
}
