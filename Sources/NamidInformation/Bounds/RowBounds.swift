import Foundation
import NamidTorch

/// InfoNCE (van den Oord et al., 2018), the pair in the denominator, one x against all z.
public struct InfoNCEBound: InformationBound {
  /// The name, `infonce`.
  public let name = "infonce"
  /// A lower bound for every N.
  public let kind = BoundKind.lower
  /// The best critic; a function of x may be added.
  public let optimum = "log r + c(x)"

  /// Creates the bound.
  public init() {}

  /// Computes the largest value, log N.
  public func cap(_ count: Int) -> Double? { log(Double(count)) }

  /// Computes mean_i [u_ii − log Σ_j e^{u_ij}] + log N.
  public func value(_ scores: Tensor) -> Tensor {
    Scores.pairs(scores) - scores.logsumexp([1]).mean() + log(Double(scores.size(0)))
  }
}

/// One row at a time against the others: mean_i [u_ii − log mean_{j≠i} e^{u_ij}].
///
/// With the true conditional density it is above I; with other critics it is on no side.
public struct LeaveOneOutBound: InformationBound {
  /// The name, `leave-one-out`.
  public let name = "leave-one-out"
  /// Not a bound for a trained critic.
  public let kind = BoundKind.neither
  /// The best critic; a function of x may be added.
  public let optimum = "log r + c(x)"

  /// Creates the estimate.
  public init() {}

  /// Computes mean_i [u_ii − log mean_{j≠i} e^{u_ij}].
  public func value(_ scores: Tensor) -> Tensor {
    let others = Scores.others(scores).logsumexp([1])
    return Scores.pairs(scores) - others.mean() + log(Double(scores.size(0) - 1))
  }
}

/// The form of the authors' code: as `LeaveOneOutBound`, with the masked pair left in the sum as e⁰ = 1.
public struct AuthorsBound: InformationBound {
  /// The name, `authors`.
  public let name = "authors"
  /// Not a bound: values grow without limit with the scores of the pairs.
  public let kind = BoundKind.neither
  /// The statement that there is no best critic.
  public let optimum = "none: larger scores of the pairs always help"

  /// Creates the estimate.
  public init() {}

  /// Computes mean_i [u_ii − log((1 + Σ_{j≠i} e^{u_ij}) / (N − 1))].
  public func value(_ scores: Tensor) -> Tensor {
    let others = Scores.others(scores, diagonal: 0).logsumexp([1])
    return Scores.pairs(scores) - others.mean() + log(Double(scores.size(0) - 1))
  }
}
