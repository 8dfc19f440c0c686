import NamidTorch

/// CLUB (Cheng et al., ICML 2020): scores are log q(z_j | x_i) of a model that is trained by likelihood.
public struct CLUBBound: InformationBound {
  /// The name, `club`.
  public let name = "club"
  /// An upper bound where the conditional model is right; with p(z | x) itself its value is I + D(Q ‖ P), far above I.
  public let kind = BoundKind.upper
  /// The conditional density.
  public let optimum = "log p(z | x)"

  /// Creates the estimate.
  public init() {}

  /// Computes E_P log q − E_Q log q.
  public func value(_ scores: Tensor) -> Tensor {
    Scores.pairs(scores) - Scores.meanOfOthers(scores, diagonal: 0) { $0 }
  }

  /// Computes the mean log-likelihood of the pairs.
  public func validation(_ scores: Tensor) -> Tensor { Scores.pairs(scores) }

  /// Computes the mean log-likelihood of the pairs.
  public func objective(_ scores: Tensor, memory: inout Double?) -> Tensor { Scores.pairs(scores) }
}
