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

  /// The norm's symbol in texts for people: L∞, L2, L1.
  public var symbol: String {
    switch self {
    case .linf: "L∞"
    case .l2: "L2"
    case .l1: "L1"
    }
  }

  /// The p of the norm whose unit ball is polar to this norm's: ‖w‖ in it is the largest ⟨w, δ⟩ with ‖δ‖ ≤ 1.
  var dual: Double {
    switch self {
    case .linf: 1
    case .l2: 2
    case .l1: .infinity
    }
  }
}

/// A threat model: an image may be changed within a ball and within [0, 1].
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
      let radius = Tensor.scalar(epsilon.value, dtype: .float64, device: images.device)
      return L1Ball.project(images, around: origin, radius: radius)
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

/// The first point of an iterative attack.
public enum Start: String, CaseIterable, Codable, Sendable {
  /// The image itself.
  case none
  /// The image plus 0.001 times standard normal noise, as in the paper's code.
  case gaussian
  /// Uniformly in the ball.
  case uniform

  /// Starting images; random numbers come from each sample's own stream.
  ///
  /// - Parameters:
  ///   - origin: The images (N, C, H, W).
  ///   - threat: The ball around them.
  ///   - streams: One random stream per sample; not asked for where the start is not random.
  /// - Returns: Images of the same shape, within the ball and [0, 1].
  public func images(
    from origin: Tensor, threat: ThreatModel, streams: @autoclosure () -> RandomStreams
  ) -> Tensor {
    let shape = Array(origin.shape.dropFirst())
    switch self {
    case .none:
      return origin
    case .gaussian:
      let noise = Tensor.normal(streams(), shape: shape, device: origin.device)
      return threat.project(origin + noise * 0.001, around: origin)
    case .uniform:
      return threat.project(origin + ball(threat, streams(), shape, origin), around: origin)
    }
  }

  /// Points uniform in the ball: a direction and, but for L∞, the d-th root of a uniform number as radius.
  private func ball(
    _ threat: ThreatModel, _ streams: RandomStreams, _ shape: [Int], _ origin: Tensor
  ) -> Tensor {
    let (epsilon, device) = (threat.epsilon.value, origin.device)
    switch threat.norm {
    case .linf:
      return Tensor.uniform(streams, shape: shape, low: -epsilon, high: epsilon, device: device)
    case .l2, .l1:
      let direction =
        threat.norm == .l2
        ? ThreatModel.unit(Tensor.normal(streams, shape: shape, device: device))
        : L1Ball.directions(streams, shape, device: device)
      let count = Double(shape.reduce(1, *))
      let radius = Tensor.uniform(
        streams.keyed("radius"), shape: shape.map { _ in 1 }, device: device
      ).pow(1 / count)
      return direction * radius * epsilon
    }
  }
}
