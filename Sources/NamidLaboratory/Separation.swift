import Foundation
import NamidEvaluation
import NamidStatistics

/// The separation of values that should be high from values that should be low.
///
/// Both are values of the same samples, unattacked and attacked, compared in two ways: sample by sample, and as two
/// distributions. The area under the ROC curve is the share of all pairs (one value of each distribution) in the
/// expected order, ties counting half. Its variance is that of the sum of a sample's two placement values
/// (DeLong et al., 1988, for samples that come in pairs: Obuchowski, 1997), and its interval Wilson's with the number
/// of samples that has that variance.
package struct Separation: Encodable, Hashable, Sendable {
  package var count: Int
  /// The area under the ROC curve: 1 for perfect order, ½ for none, 0 for the opposite.
  package var area: Double
  /// The 95 % interval of the area.
  package var interval: ConfidenceInterval
  /// The share of samples whose two values are in the expected order.
  package var ordered: SampleShare
  /// The number of samples whose two values are equal.
  package var ties: Int
  /// The mean of higher minus lower, sample by sample, in nats.
  package var difference: MeanInterval
  /// The mean difference over the differences' standard deviation, which does not depend on an estimator's scale; nil
  /// where all differences are equal.
  package var standardised: Double?
  /// The influence of each sample on the area, in the order of the samples.
  let influence: [Double]

  enum CodingKeys: String, CodingKey {
    case count, ordered, ties, difference, standardised
    case area = "auc"
    case interval = "ci95"
  }

  /// Computes the separation from values of the same samples; nil for fewer than two.
  package init?(higher: [Double], lower: [Double]) {
    precondition(higher.count == lower.count, "\(higher.count) and \(lower.count) values")
    count = higher.count
    guard count >= 2 else { return nil }
    let above = Self.shares(of: lower, below: higher)
    let below = Self.shares(of: higher, below: lower).map { 1 - $0 }
    let area = above.reduce(0, +) / Double(count)
    influence = zip(above, below).map { $0 + $1 - 2 * area }
    self.area = area
    interval = Self.interval(area, count: count, variance: Self.variance(influence))
    let differences = zip(higher, lower).map { $0 - $1 }
    ordered = SampleShare(differences.count { $0 > 0 }, of: count)
    ties = differences.count { $0 == 0 }
    difference = MeanInterval(differences)
    let summary = SampleSummary(differences)
    standardised = summary.standardDeviation.flatMap { $0 > 0 ? summary.mean / $0 : nil }
  }

  /// Computes for each value the share of others that are smaller, equal ones counting half.
  private static func shares(of others: [Double], below values: [Double]) -> [Double] {
    let sorted = others.sorted()
    return values.map { value in
      let smaller = sorted.partitioningIndex { $0 >= value }
      let notLarger = sorted.partitioningIndex { $0 > value }
      return Double(smaller + notLarger) / Double(2 * sorted.count)
    }
  }

  /// Computes the variance of a mean of terms whose expectation is 0.
  static func variance(_ terms: [Double]) -> Double {
    let count = Double(terms.count)
    return terms.reduce(0) { $0 + $1 * $1 } / (count * (count - 1))
  }

  private static func interval(_ area: Double, count: Int, variance: Double) -> ConfidenceInterval {
    let spread = area * (1 - area)
    // At 0 and 1, and where all values are equal, no sample moves the area: each stands for one success or failure.
    let hasVariance = spread > 0 && variance > 0
    return .wilson(area, count: hasVariance ? spread / variance : Double(count))
  }
}

/// The difference of two estimators' separation of the same samples.
package struct SeparationGap: Encodable, Hashable, Sendable {
  /// The answer that an interval around a difference gives.
  package enum Verdict: String, Codable, Sendable {
    /// The interval lies above 0.
    case yes
    /// The interval lies below 0.
    case no
    /// The interval holds 0.
    case undecided

    /// Reads the answer from an interval's two ends.
    init(_ interval: ConfidenceInterval) {
      self = interval.low > 0 ? .yes : interval.high < 0 ? .no : .undecided
    }
  }

  /// The first area minus the second.
  package var gap: Double
  /// The 95 % interval of the gap, from the differences of each sample's influence on both areas.
  package var interval: ConfidenceInterval
  /// The answer to the question whether the first separates more.
  package var verdict: Verdict

  enum CodingKeys: String, CodingKey {
    case gap, verdict
    case interval = "ci95"
  }

  /// Computes the gap of two separations of the same samples in the same order.
  package init(_ first: Separation, over second: Separation) {
    precondition(first.count == second.count, "\(first.count) and \(second.count) samples")
    gap = first.area - second.area
    let terms = zip(first.influence, second.influence).map { $0 - $1 }
    let variance = Separation.variance(terms)
    // Where no sample moves either area, both are only as well known as their own intervals say.
    let halves = [first, second].map { ($0.interval.high - $0.interval.low) / 2 }
    let half =
      variance > 0 || gap == 0
      ? ConfidenceInterval.z * variance.squareRoot()
      : (halves[0] * halves[0] + halves[1] * halves[1]).squareRoot()
    interval = ConfidenceInterval(around: gap, half: half)
    verdict = Verdict(interval)
  }
}

extension Array where Element == Double {
  /// Finds the first place of a sorted list from which on `belongs` holds.
  fileprivate func partitioningIndex(where belongs: (Double) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
