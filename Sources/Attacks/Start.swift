import Records
import Torch

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
    from origin: Tensor, threat: ThreatModel, streams: @autoclosure () -> [RandomStream]
  ) -> Tensor {
    let shape = Array(origin.shape.dropFirst())
    switch self {
    case .none:
      return origin
    case .gaussian:
      let noise = Tensor.normal(streams(), shape: shape).to(origin.device)
      return threat.project(origin + noise * 0.001, around: origin)
    case .uniform:
      return threat.project(origin + ball(threat, streams(), shape, origin), around: origin)
    }
  }

  /// Points uniform in the ball: a direction and, but for L∞, the d-th root of a uniform number as radius.
  private func ball(
    _ threat: ThreatModel, _ streams: [RandomStream], _ shape: [Int], _ origin: Tensor
  ) -> Tensor {
    let epsilon = threat.epsilon.value
    switch threat.norm {
    case .linf:
      return Tensor.uniform(streams, shape: shape, low: -epsilon, high: epsilon).to(origin.device)
    case .l2, .l1:
      let direction =
        threat.norm == .l2
        ? ThreatModel.unit(Tensor.normal(streams, shape: shape)) : L1Ball.directions(streams, shape)
      let count = Double(shape.reduce(1, *))
      let radius = Tensor.uniform(
        streams.map { $0.keyed("radius") }, shape: shape.map { _ in 1 }
      ).pow(1 / count)
      return (direction * radius * epsilon).to(origin.device)
    }
  }
}
