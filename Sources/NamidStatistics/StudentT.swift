import Foundation

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
enum StudentT {
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
