import Foundation

/// A learning rate for each step, counted from 0.
public typealias Schedule = @Sendable (Int) -> Double

/// The usual learning-rate schedules, as functions of the step.
public enum Schedules {
  /// A constant rate.
  public static func constant(_ rate: Double) -> Schedule { { _ in rate } }

  /// A rate multiplied by `gamma` at each milestone (a step number).
  public static func multiStep(
    _ rate: Double, milestones: [Int], gamma: Double = 0.1
  ) -> Schedule {
    { step in rate * pow(gamma, Double(milestones.filter { step >= $0 }.count)) }
  }

  /// Half a cosine from `rate` down to `minimum` over `steps` steps, then constant.
  public static func cosine(_ rate: Double, steps: Int, minimum: Double = 0) -> Schedule {
    { step in
      let progress = min(Double(step) / Double(max(steps, 1)), 1)
      return minimum + (rate - minimum) * (1 + cos(.pi * progress)) / 2
    }
  }

  /// Another schedule's rates, with a factor that rises along a line to 1 in the first steps.
  public static func ramp(_ schedule: @escaping Schedule, steps: Int) -> Schedule {
    { step in schedule(step) * min(1, Double(step + 1) / Double(max(steps, 1))) }
  }

  /// The curve by which a one-cycle schedule goes from one rate to the next.
  public enum Annealing: String, CaseIterable, Codable, Sendable {
    /// Along half a cosine.
    case cos
    /// Along a line.
    case linear
  }

  /// One cycle as `torch.optim.lr_scheduler.OneCycleLR`: up to `maximum`, then down to nearly nothing.
  public static func oneCycle(
    _ maximum: Double, steps: Int, warmUp: Double = 0.3, divisor: Double = 25,
    finalDivisor: Double = 1e4, annealing: Annealing = .cos
  ) -> Schedule {
    let start = maximum / divisor
    let end = start / finalDivisor
    let peak = warmUp * Double(steps) - 1
    let last = Double(steps) - 1
    return { step in
      let x = min(Double(step), last)
      let (from, to, fraction) =
        x <= peak && peak > 0
        ? (start, maximum, x / peak) : (maximum, end, (x - peak) / max(last - peak, 1e-12))
      return switch annealing {
      case .cos: to + (from - to) / 2 * (1 + Foundation.cos(.pi * fraction))
      case .linear: from + (to - from) * fraction
      }
    }
  }
}
