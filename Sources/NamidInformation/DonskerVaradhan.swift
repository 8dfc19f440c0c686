import Foundation
import NamidTorch

/// The per-sample Donsker–Varadhan form of the authors' code, on the score matrix of a dot-product critic.
///
/// With scores u_ijp = ⟨G_i, L_jp⟩ of output i and position p of image j, a sample's mutual information is
/// I_i = mean_p [ u_iip − log Σ_{j≠i} exp u_ijp + log(N − 1) ], and its loss is −I_i (nats).
/// Negatives are the other images' features at the same position. The value depends on the batch: its size and
/// its members.
public enum DonskerVaradhan {
  /// Computes the losses −I by position, (anchors, positions).
  ///
  /// - Parameters:
  ///   - global: Features of outputs (M, units).
  ///   - local: Features of images (positions, N, units).
  ///   - anchors: For each output the index of its own image (M), int64; nil when output i belongs to image i.
  ///   - leak: True to leave the masked positive in the sum as exp(0) = 1, as in the authors' code.
  ///   - precision: The precision in which scores are computed.
  /// - Returns: The losses; zeros without a gradient when there is no negative (N = 1).
  public static func losses(
    global: Tensor, local: Tensor, anchors: Tensor? = nil, leak: Bool = true,
    precision: Precision = .float32
  ) -> Tensor {
    let (positions, samples) = (local.size(0), local.size(1))
    guard samples > 1 else { return .zeros([global.size(0), positions], device: local.device) }
    let scores = scores(global: global, local: local, precision: precision)
    let own = (anchors ?? Tensor.arange(samples, device: local.device)).view([-1, 1, 1])
    let positive = scores.gather(own.expand([-1, positions, 1]), dim: 2).squeeze(2)
    let mask = own .== Tensor.arange(samples, device: local.device).view([1, 1, -1])
    let negatives = scores.maskedFill(mask, leak ? 0 : -Double.infinity)
    return negatives.logsumexp([2]) - log(Double(samples - 1)) - positive
  }

  /// Computes the scores u_ijp (M, positions, N), computed in the given precision even inside another one.
  ///
  /// Images are the last dimension, so that reductions over them read memory in order.
  public static func scores(
    global: Tensor, local: Tensor, precision: Precision = .float32
  ) -> Tensor {
    let shape = local.shape
    return withPrecision(precision, on: local.device) {
      global.linear(local.reshape([shape[0] * shape[1], shape[2]]))
        .view([global.size(0), shape[0], shape[1]])
    }
  }
}
