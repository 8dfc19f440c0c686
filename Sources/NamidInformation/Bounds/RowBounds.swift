import Foundation
import NamidTorch

/// Bounds of one x against all z; the best critic is log r plus any function of x.
extension InformationBound {
  /// InfoNCE (van den Oord et al., 2018), mean_i [u_ii − log Σ_j e^{u_ij}] + log N: a lower bound, at most log N.
  public static let infoNCE = InformationBound("infonce", .lower, cap: { log(Double($0)) }) {
    Scores.pairs($0) - $0.logsumexp([1]).mean() + log(Double($0.size(0)))
  }

  /// One row at a time against the others: mean_i [u_ii − log mean_{j≠i} e^{u_ij}].
  ///
  /// With the true conditional density it is above I; with other critics it is on no side.
  public static let leaveOneOut = InformationBound("leave-one-out", .neither) {
    rowValue($0, own: -.infinity)
  }

  /// The form of the authors' code: as `leaveOneOut`, with the masked pair left in the sum as e⁰ = 1.
  ///
  /// Not a bound: values grow without limit with the scores of the pairs, so there is no best critic.
  public static let authors = InformationBound("authors", .neither) {
    rowValue($0, own: 0)
  }

  /// mean_i [u_ii − log Σ_j e^{u_ij}] + log(N − 1) with a given score of the pairs in the sums.
  private static func rowValue(_ scores: Tensor, own: Double) -> Tensor {
    let others = Scores.others(scores, diagonal: own).logsumexp([1])
    return Scores.pairs(scores) - others.mean() + log(Double(scores.size(0) - 1))
  }
}
