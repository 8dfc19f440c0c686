import Foundation
import NamidTorch

/// The side of the mutual information on which an estimate is, in expectation and for any critic.
public enum BoundKind: String, Codable, Sendable {
  /// A lower bound: at most I, apart from the bias of small batches.
  case lower
  /// An upper bound: at least I, where the conditional model is right.
  case upper
  /// Not a bound: values may be on either side of I.
  case neither
}

/// An estimate of mutual information as a pure function of a matrix of scores.
///
/// Scores u_ij = f(x_i, z_j) have shape (N, N); the pairs that belong together are on the diagonal, all others count
/// as draws from the product of the marginals. Values are in nats, of rank 0.
public protocol InformationBound: Sendable {
  /// The bound's name on the command line.
  var name: String { get }
  /// The side of I on which its values are.
  var kind: BoundKind { get }
  /// The best critic in words, with r = p(x, z) / (p(x) p(z)).
  var optimum: String { get }
  /// Computes the largest value that `count` samples at once allow; nil for no limit.
  func cap(_ count: Int) -> Double?
  /// Computes the estimate from a matrix of scores.
  func value(_ scores: Tensor) -> Tensor
  /// Computes the value on a validation split that decides when training stops; larger is better.
  func validation(_ scores: Tensor) -> Tensor
  /// Computes the objective that a critic is trained to raise.
  ///
  /// - Parameters:
  ///   - scores: (N, N).
  ///   - memory: A number carried from step to step; nil at the first.
  /// - Returns: A scalar whose gradient is the training direction; its value need not be an estimate.
  func objective(_ scores: Tensor, memory: inout Double?) -> Tensor
}

extension InformationBound {
  /// Returns nil, for no limit.
  public func cap(_ count: Int) -> Double? { nil }
  /// Returns the estimate itself.
  public func validation(_ scores: Tensor) -> Tensor { value(scores) }
  /// Returns the estimate itself.
  public func objective(_ scores: Tensor, memory: inout Double?) -> Tensor { value(scores) }
}

/// The parts of a score matrix that bounds are made of.
enum Scores {
  /// Computes the mean score of the pairs.
  static func pairs(_ scores: Tensor) -> Tensor { scores.diagonal().mean() }

  /// Computes the scores with `value` on the diagonal.
  static func others(_ scores: Tensor, diagonal value: Double = -.infinity) -> Tensor {
    let count = scores.size(0)
    precondition(count > 1 && scores.size(1) == count, "scores of shape \(scores.shape)")
    let row = Tensor.arange(count, device: scores.device)
    return scores.maskedFill(row.unsqueeze(1) .== row, value)
  }

  /// Computes the mean of f over all but the pairs, for an f with f(−∞) = 0 or a diagonal chosen so that f is 0 there.
  static func meanOfOthers(
    _ scores: Tensor, diagonal value: Double = -.infinity, _ f: (Tensor) -> Tensor
  ) -> Tensor {
    let count = Double(scores.size(0))
    return f(others(scores, diagonal: value)).sum() / (count * (count - 1))
  }

  /// Computes the log of the mean of exp over all but the pairs.
  static func logMeanExpOfOthers(_ scores: Tensor) -> Tensor {
    let count = Double(scores.size(0))
    return others(scores).logsumexp([0, 1]) - log(count * (count - 1))
  }
}
