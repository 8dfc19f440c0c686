import Foundation
import NamidTorch

/// The bound of Nguyen, Wainwright and Jordan, E_P f − E_Q e^{f−1}.
public struct NWJBound: InformationBound {
  /// The name, `nwj`.
  public let name = "nwj"
  /// A lower bound without bias; its variance grows as e^I.
  public let kind = BoundKind.lower
  /// The best critic; the constant matters.
  public let optimum = "1 + log r"

  /// Creates the bound.
  public init() {}

  /// Computes E_P f − E_Q e^{f−1}.
  public func value(_ scores: Tensor) -> Tensor {
    Scores.pairs(scores) - Scores.meanOfOthers(scores - 1) { $0.exp() }
  }
}

/// The Jensen-Shannon objective of Deep InfoMax; at its optimum twice the Jensen-Shannon divergence, not I.
public struct JensenShannonBound: InformationBound {
  /// The name, `jsd`.
  public let name = "jsd"
  /// Not a bound of I: values are lower bounds of 2·JS(P ‖ Q), which is at most 2 log 2.
  public let kind = BoundKind.neither
  /// The best critic; the constant matters.
  public let optimum = "log r"

  /// Creates the objective.
  public init() {}

  /// Computes the largest value, 2 log 2 for every N.
  public func cap(_ count: Int) -> Double? { 2 * log(2) }

  /// Computes E_P[log 2 − softplus(−f)] − E_Q[softplus(f) − log 2].
  public func value(_ scores: Tensor) -> Tensor {
    let pairs = (-scores.diagonal()).softplus().mean()
    return 2 * log(2) - pairs - Scores.meanOfOthers(scores) { $0.softplus() }
  }
}

/// SMILE (Song and Ermon, ICLR 2020): scores clipped in the second term, trained by the Jensen-Shannon objective.
public struct SMILEBound: InformationBound {
  /// The name, `smile`.
  public let name = "smile"
  /// Not a bound: clipping overestimates where I is larger than the limit.
  public let kind = BoundKind.neither
  /// The best critic of the Jensen-Shannon objective, which trains it.
  public let optimum = "log r"
  /// The limit τ of the scores.
  public var limit: Double

  /// Creates the estimate.
  public init(limit: Double = 5) { self.limit = limit }

  /// Computes E_P f − log E_Q e^{clip(f, ±τ)}.
  public func value(_ scores: Tensor) -> Tensor {
    let clipped = scores.clamp(min: -limit, max: limit)
    return Scores.pairs(scores) - Scores.logMeanExpOfOthers(clipped)
  }

  /// Computes the Jensen-Shannon objective.
  public func validation(_ scores: Tensor) -> Tensor { JensenShannonBound().value(scores) }

  /// Computes the Jensen-Shannon objective.
  public func objective(_ scores: Tensor, memory: inout Double?) -> Tensor {
    JensenShannonBound().value(scores)
  }
}
