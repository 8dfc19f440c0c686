import Foundation
import NamidTorch

/// Donsker and Varadhan's bound E_P f − log E_Q eᶠ.
///
/// The logarithm is of one batch's mean, so values of small batches are biased upwards (Jensen).
public struct DonskerVaradhanBound: InformationBound {
  /// The name, `dv`.
  public let name = "dv"
  /// A lower bound for large batches.
  public let kind = BoundKind.lower
  /// The best critic; any constant may be added.
  public let optimum = "log r + constant"

  /// Creates the bound.
  public init() {}

  /// Computes E_P f − log E_Q eᶠ.
  public func value(_ scores: Tensor) -> Tensor {
    Scores.pairs(scores) - Scores.logMeanExpOfOthers(scores)
  }
}

/// MINE (Belghazi et al., ICML 2018): Donsker and Varadhan's bound, trained with a moving average in the gradient
/// (Equation 12).
public struct MINEBound: InformationBound {
  /// The name, `mine`.
  public let name = "mine"
  /// A lower bound for large batches.
  public let kind = BoundKind.lower
  /// The best critic; any constant may be added.
  public let optimum = "log r + constant"
  /// The share of its previous value that the average keeps in a step.
  public var decay: Double

  /// Creates the bound.
  public init(decay: Double = 0.9) { self.decay = decay }

  /// Computes E_P f − log E_Q eᶠ.
  public func value(_ scores: Tensor) -> Tensor { DonskerVaradhanBound().value(scores) }

  /// Computes E_P f − E_Q eᶠ / average, the average without a gradient; `memory` is its logarithm.
  public func objective(_ scores: Tensor, memory: inout Double?) -> Tensor {
    let current = withoutGrad { Scores.logMeanExpOfOthers(scores.detach()).item() }
    let average = memory.map { old in
      let high = max(old, current)
      return high + log(decay * exp(old - high) + (1 - decay) * exp(current - high))
    }
    let logAverage = average ?? current
    memory = logAverage
    return Scores.pairs(scores) - Scores.meanOfOthers(scores - logAverage) { $0.exp() }
  }
}
