import Foundation
import NamidNetworks
import NamidTorch

/// Checks of what a network says of some images, in plain evaluation mode.
struct OutputChecks {
  /// The largest difference between two forwards of one image, relative to the largest logit.
  static let tolerance = 1e-5

  private let first: Tensor
  private let second: Tensor
  private let alone: Tensor

  init(_ classifier: any Classifier, images: Tensor) {
    (first, second, alone) = classifier.evaluating {
      withoutGrad {
        let singles = (0..<images.size(0)).map { classifier.logits(images.slice($0..<$0 + 1)) }
        return (classifier.logits(images), classifier.logits(images), .cat(singles))
      }
    }
  }

  /// Two forwards of one batch differ.
  var randomised: Diagnosis? {
    let difference = Self.difference(first, second)
    if !(difference > Self.tolerance) { return nil }
    return Diagnosis(
      name: .randomised, value: difference, threshold: Self.tolerance,
      meaning: "two forwards of the same images differ by \(Self.text(difference)) of the largest "
        + "logit: the network draws random numbers",
      advice:
        "switch its randomness off, or attack its expectation (average gradients over draws); "
        + "verdicts here are those of single draws")
  }

  /// An image in a batch and the same image alone get different logits.
  var batchDependent: Diagnosis? {
    let difference = Self.difference(first, alone)
    if !(difference > Self.tolerance) { return nil }
    return Diagnosis(
      name: .batchDependent, value: difference, threshold: Self.tolerance,
      meaning:
        "logits of an image change by \(Self.text(difference)) of the largest logit when other "
        + "images stand beside it",
      advice:
        "put batch normalisation into evaluation mode; as it is, no verdict on an image means "
        + "anything")
  }

  /// All outputs lie in [0, 1] and every row sums to 1.
  var probabilities: Diagnosis? {
    let deviation = (first.sum([1]) - 1).abs().max().item()
    guard first.min().item() >= 0, first.max().item() <= 1, deviation <= Self.tolerance else {
      return nil
    }
    return Diagnosis(
      name: .probabilities, value: deviation, threshold: Self.tolerance,
      meaning: "outputs lie in [0, 1] and sum to 1: they are probabilities, not logits",
      advice: "hand over the network without its softmax; gradients vanish behind it")
  }

  /// The largest absolute difference relative to the largest logit.
  private static func difference(_ a: Tensor, _ b: Tensor) -> Double {
    let scale = a.abs().max().item()
    return scale > 0 ? (a - b).abs().max().item() / scale : 0
  }

  private static func text(_ share: Double) -> String {
    share < 0.01 ? String(format: "%.1e", share) : String(format: "%.0f %%", 100 * share)
  }
}
