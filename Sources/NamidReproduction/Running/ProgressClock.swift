import Foundation

/// An estimate of the time that the rest of a plan will take, corrected by the times of finished steps.
package struct ProgressClock: Sendable {
  private var estimates: [String: Double]
  private var left: Double
  private var estimated = 0.0
  private var taken = 0.0
  private let jobs: Int

  /// A clock for steps with estimated seconds; steps without one count as nothing.
  ///
  /// - Parameters:
  ///   - estimates: Seconds by step.
  ///   - jobs: Steps that are at work at the same time.
  package init(_ estimates: [String: Double], jobs: Int = 1) {
    self.estimates = estimates
    self.jobs = jobs
    left = estimates.values.reduce(0, +)
  }

  /// The ratio of the time of finished steps to its estimate, between 0.1 and 10; 1 until a step is finished.
  package var factor: Double { estimated > 0 ? min(max(taken / estimated, 0.1), 10) : 1 }

  /// The estimate of one step, corrected by those that are finished.
  package func seconds(of step: String) -> Double? { estimates[step].map { factor * $0 } }

  /// The seconds left for all that is not finished.
  package var remaining: Double { factor * max(left, 0) / Double(jobs) }

  /// Notes that a step has ended.
  ///
  /// - Parameters:
  ///   - step: The step.
  ///   - seconds: The time that it took; nil where it was not carried out.
  package mutating func end(_ step: String, seconds: Double?) {
    guard let estimate = estimates.removeValue(forKey: step) else { return }
    left -= estimate
    guard let seconds else { return }
    estimated += estimate
    taken += seconds
  }
}
