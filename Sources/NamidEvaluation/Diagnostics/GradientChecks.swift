import Foundation
import NamidNetworks
import NamidStatistics
import NamidTorch

/// Checks of the gradients that attacks on a network would follow.
struct GradientChecks {
  /// The relative error of the slope above which the gradient is not the network's.
  static let tolerance = 0.1
  /// Steps per value of the image; the one that agrees best counts.
  static let steps = [1e-4, 3e-4, 1e-3, 3e-3]
  /// The least change of the margin that says anything: 50 rounding errors, which are 1e-6 of the largest logit.
  fileprivate static let floor = 50 * 1e-6

  private let measured: Measured
  private let count: Int

  init(_ classifier: any Classifier, images: Tensor, labels: Tensor) {
    measured = classifier.frozen { withoutGrad { Measured(classifier, images, labels) } }
    count = images.size(0)
  }

  /// Some image's loss has a gradient of exactly zero.
  var zeroGradient: Diagnosis? {
    let (flatLosses, flatMargins) = (measured.flatLosses, measured.flatMargins)
    if flatLosses == 0 { return nil }
    let isSaturated = flatMargins < flatLosses
    return Diagnosis(
      name: .zeroGradient, value: Double(flatLosses) / Double(count), threshold: 0,
      meaning: "the gradient of the cross-entropy is exactly 0 for \(flatLosses) of \(count) images"
        + (isSaturated ? ", that of the logits for \(flatMargins)" : ""),
      advice: isSaturated
        ? "logits are so large that the cross-entropy saturates: use losses that do not depend on "
          + "their scale (apgd-dlr, autoattack)"
        : "gradients are masked: use attacks without them (square), or a differentiable stand-in for "
          + "what stops them")
  }

  /// The slope along the gradient is not the gradient's length.
  var mismatch: Diagnosis? {
    let errors = measured.errors
    guard let error = Statistics.median(errors), error > Self.tolerance else { return nil }
    return Diagnosis(
      name: .gradientMismatch, value: error, threshold: Self.tolerance,
      meaning: String(
        format:
          "the logits' slope along their gradient differs from the gradient's length by %.0f %% "
          + "(median of %d images)", 100 * error, errors.count),
      advice: "gradients are masked, as by quantisation or a non-differentiable step: use attacks "
        + "without them (square), and do not trust the others")
  }
}

private struct Measured {
  /// Images without any gradient of the cross-entropy.
  let flatLosses: Int
  /// Images without any gradient of the margin.
  let flatMargins: Int
  /// Relative errors of the margin's slope, for images that allow to tell.
  let errors: [Double]

  init(_ classifier: any Classifier, _ images: Tensor, _ labels: Tensor) {
    let losses = gradient(classifier, images) { $0.crossEntropy(labels, reduction: .none) }.lengths
    flatLosses = losses.count { $0 == 0 }

    // The runner-up stays the same along the way: the largest of several logits has kinks.
    let logits = classifier.logits(images)
    let others = logits.withoutLabels(labels).argmax(1)
    let margin = { (logits: Tensor) in
      logits.gather(others.unsqueeze(1), dim: 1).squeeze(1)
        - logits.gather(labels.unsqueeze(1), dim: 1).squeeze(1)
    }
    flatMargins = gradient(classifier, images, margin).lengths.count { $0 == 0 }
    errors = Self.slopeErrors(classifier, images, scale: logits.abs().max().item(), margin)
  }

  /// Measures the relative differences between the margin's slope by finite differences and its gradient's length.
  private static func slopeErrors(
    _ classifier: any Classifier, _ images: Tensor, scale: Double, _ margin: (Tensor) -> Tensor
  ) -> [Double] {
    // Away from 0 and 1, where a network that clips its input has another slope on either side.
    let inner = images * 0.98 + 0.01
    let (directions, lengths) = gradient(classifier, inner, margin)
    let root = Double(images.count / images.size(0)).squareRoot()
    var best = lengths.map { _ in Double.infinity }
    for step in GradientChecks.steps {
      let move = directions * (step * root)
      let rise = margin(classifier.logits(inner + move)) - margin(classifier.logits(inner - move))
      for (row, value) in rise.to(.float64).array(of: Double.self).enumerated() {
        let expected = 2 * step * root * lengths[row]
        guard expected > scale * GradientChecks.floor else { continue }
        best[row] = min(best[row], abs(value - expected) / expected)
      }
    }
    return best.filter(\.isFinite)
  }
}

/// The gradients of summed losses with respect to images: directions of length 1 (float32), and lengths.
private func gradient(
  _ classifier: any Classifier, _ images: Tensor, _ loss: (Tensor) -> Tensor
) -> (directions: Tensor, lengths: [Double]) {
  let input = images.detach()
  input.requiresGrad = true
  let gradient = withGrad { grad(of: loss(classifier.logits(input)).sum(), wrt: input) }
  let dimensions = Array(1..<images.rank)
  // In float64 no square is lost.
  let exact = gradient.to(.float64)
  let lengths = exact.square().sum(dimensions, keepdim: true).sqrt()
  let directions = (exact / lengths.clamp(min: 1e-300)).to(.float32)
  return (directions, lengths.flatten().array(of: Double.self))
}
