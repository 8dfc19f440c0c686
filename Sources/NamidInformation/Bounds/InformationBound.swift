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
/// as draws from the product of the marginals. Values are in nats, of rank 0. The best critics are given with r =
/// p(x, z) / (p(x) p(z)).
public struct InformationBound: Sendable {
  /// A function of a matrix of scores, of rank 0.
  public typealias Value = @Sendable (_ scores: Tensor) -> Tensor
  /// A scalar whose gradient is the direction of training; its value need not be an estimate.
  ///
  /// The memory is a number carried from step to step, nil at the first.
  public typealias Objective = @Sendable (_ scores: Tensor, _ memory: inout Double?) -> Tensor

  /// The bound's name on the command line.
  public let name: String
  /// The side of I on which its values are.
  public let kind: BoundKind
  /// True where scores must be log densities log q(z | x).
  public let takesDensity: Bool
  /// The largest value that a number of samples at once allows; nil for no limit.
  public let cap: @Sendable (_ count: Int) -> Double?
  /// The estimate.
  public let value: Value
  /// The value on a validation split that decides when training stops; larger is better.
  public let validation: Value
  /// The objective that a critic is trained to raise.
  public let objective: Objective

  /// Creates a bound; validation is by the estimate, and training by what validates, where nothing else is given.
  public init(
    _ name: String, _ kind: BoundKind, takesDensity: Bool = false,
    cap: @escaping @Sendable (_ count: Int) -> Double? = { _ in nil }, validation: Value? = nil,
    objective: Objective? = nil, value: @escaping Value
  ) {
    let validation = validation ?? value
    (self.name, self.kind) = (name, kind)
    (self.takesDensity, self.cap, self.value) = (takesDensity, cap, value)
    self.validation = validation
    self.objective = objective ?? { scores, _ in validation(scores) }
  }

  /// The bounds in the order in which help lists them.
  public static let all: [InformationBound] = [
    donskerVaradhan, mine(), nwj, jensenShannon, infoNCE, smile(), leaveOneOut, authors, club,
  ]
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
