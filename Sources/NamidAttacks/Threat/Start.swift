import NamidTorch

/// Where an iterative attack begins.
public enum Start: String, CaseIterable, Codable, Sendable {
  /// At the image itself.
  case none
  /// At the image plus 0.001 times standard normal noise, as in the paper's code.
  case gaussian
  /// Uniformly in the ball.
  case uniform

  /// Starting images; random numbers come from each sample's own stream.
  func images(
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
