import Foundation
import NamidTorch

extension InformationBound {
  /// Donsker and Varadhan's bound E_P f − log E_Q eᶠ, a lower one for large batches.
  ///
  /// The logarithm is of one batch's mean, so values of small batches are biased upwards (Jensen). The best critic is
  /// log r plus any constant.
  public static let donskerVaradhan = InformationBound("dv", .lower, value: donskerVaradhanValue)

  /// MINE (Belghazi et al., ICML 2018): Donsker and Varadhan's bound, trained on E_P f − E_Q eᶠ / average with a moving
  /// average that has no gradient (Equation 12) and keeps the share `decay` of its value in a step.
  public static func mine(decay: Double = 0.9) -> InformationBound {
    InformationBound(
      "mine", .lower,
      objective: { scores, memory in
        let current = withoutGrad { Scores.logMeanExpOfOthers(scores.detach()).item() }
        let average = memory.map { old in
          let high = max(old, current)
          return high + log(decay * exp(old - high) + (1 - decay) * exp(current - high))
        }
        let logAverage = average ?? current
        memory = logAverage
        return Scores.pairs(scores) - Scores.meanOfOthers(scores - logAverage) { $0.exp() }
      }, value: donskerVaradhanValue)
  }

  private static let donskerVaradhanValue: Value = {
    Scores.pairs($0) - Scores.logMeanExpOfOthers($0)
  }
}
