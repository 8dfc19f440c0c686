import NamidTorch

extension Tensor {
  /// Logits or probabilities (N, K) with −∞ in the place of each row's label (N): what is left are the other classes.
  public func withoutLabels(_ labels: Tensor) -> Tensor {
    let isLabel = Tensor.arange(size(1), device: device) .== labels.unsqueeze(1)
    return maskedFill(isLabel, -.infinity)
  }
}
