import NamidSettings
import NamidTorch

/// The norm that bounds a perturbation.
public enum Norm: String, CaseIterable, Codable, Sendable {
  /// Largest absolute change of a value.
  case linf
  /// Euclidean length of the change of an image.
  case l2
  /// Sum of absolute changes.
  case l1

  /// The p of the norm whose unit ball is polar to this norm's: ‖w‖ in it is the largest ⟨w, δ⟩ with ‖δ‖ ≤ 1.
  var dual: Double {
    switch self {
    case .linf: 1
    case .l2: 2
    case .l1: .infinity
    }
  }
}

/// What an attacker may do: change an image within a ball and within [0, 1].
public struct ThreatModel: Codable, Hashable, Sendable {
  /// The ball's norm.
  public var norm: Norm
  /// The ball's radius, in units of images in [0, 1]; written as people write it (`8/255`).
  public var epsilon: Fraction

  /// A ball.
  public init(norm: Norm = .linf, epsilon: Fraction) {
    self.norm = norm
    self.epsilon = epsilon
  }

  /// An allowed image near the given one: first into the ball around `origin`, then into [0, 1].
  ///
  /// The second step cannot leave the ball, because `origin` lies in the box. For L2 the result is feasible but
  /// not the exact projection onto the intersection, as in all public implementations; for L1 it is exact.
  public func project(_ images: Tensor, around origin: Tensor) -> Tensor {
    switch norm {
    case .linf:
      let delta = (images - origin).clamp_(min: -epsilon.value, max: epsilon.value)
      return (origin + delta).clamp_(min: 0, max: 1)
    case .l2:
      let delta = images - origin
      let length = Self.lengths(delta)
      let scale = (epsilon.value / (length + 1e-12)).clamp(max: 1)
      return (origin + delta * scale).clamp(min: 0, max: 1)
    case .l1:
      return L1Ball.project(images, around: origin, radius: epsilon.value)
    }
  }

  /// The direction in which the loss rises fastest per unit of the norm, for each image.
  ///
  /// An image whose gradient is zero has no direction and stays where it is.
  public func steepestAscent(_ gradient: Tensor) -> Tensor {
    switch norm {
    case .linf: gradient.sign()
    case .l2: Self.unit(gradient)
    case .l1: L1Ball.steepestAscent(gradient)
    }
  }

  /// Images moved by `length` in the direction in which the loss rises fastest.
  func moved(_ images: Tensor, along gradient: Tensor, by length: Double) -> Tensor {
    // A sign times the length needs no rounding, so one operator gives the bits of two.
    if norm == .linf { return images.add(steepestAscent(gradient), alpha: length) }
    // Row-major, so that sums over an image have one order.
    return images + steepestAscent(gradient.contiguous()) * length
  }

  /// The size of each image's perturbation in this norm, (N).
  public func size(of perturbation: Tensor) -> Tensor {
    let dimensions = Array(1..<perturbation.rank)
    return switch norm {
    case .linf: perturbation.abs().amax(dimensions)
    case .l2: perturbation.square().sum(dimensions).sqrt()
    case .l1: perturbation.abs().sum(dimensions)
    }
  }

  /// Euclidean lengths per image, shaped to broadcast against it.
  static func lengths(_ images: Tensor) -> Tensor {
    images.square().sum(Array(1..<images.rank), keepdim: true).sqrt()
  }

  /// Each image scaled to length 1; zero stays zero.
  ///
  /// Values are first divided by the largest of them: the square of a float32 below 1e-19 would be lost.
  static func unit(_ images: Tensor) -> Tensor {
    let largest = images.abs().amax(Array(1..<images.rank), keepdim: true)
    let scaled = images / largest.clamp(min: 1e-30)
    return scaled / lengths(scaled).clamp(min: 1e-12)
  }
}
