import NamidTorch

/// Which samples a network gets wrong (N), from logits (N, classes) and labels (N).
///
/// Logits that are not numbers are wrong: a network that breaks down on an image does not classify it.
func misclassified(_ logits: Tensor, _ labels: Tensor) -> Tensor {
  (logits.argmax(1) .!= labels) .| logits.sum([1]).isfinite().logicalNot()
}
