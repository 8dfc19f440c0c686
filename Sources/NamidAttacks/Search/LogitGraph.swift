import NamidNetworks
import NamidTorch

/// A network's logits at some images, from which gradients of several differences can be taken.
struct LogitGraph {
  private let input: Tensor
  private let output: Tensor
  /// The logits (rows, classes), without history.
  let logits: Tensor

  fileprivate init(_ classifier: any Classifier, at images: Tensor) {
    let input = images.detach()
    input.requiresGrad = true
    self.input = input
    output = withGrad { classifier.logits(input) }
    logits = output.detach()
  }

  /// How far rivals are above labels, z_rival − z_label, linearised; what is not finite becomes 0.
  ///
  /// - Parameters:
  ///   - rivals: One class per row.
  ///   - labels: One class per row.
  ///   - isLast: Whether the graph is not needed any more.
  /// - Returns: The value (rows) and its gradient with respect to the images, (rows, F).
  func difference(_ rivals: Tensor, _ labels: Tensor, isLast: Bool) -> (
    value: Tensor, gradient: Tensor
  ) {
    let classes = Tensor.arange(logits.size(1), device: logits.device)
    let isRival = (classes .== rivals.unsqueeze(1)).to(logits.dtype)
    let isLabel = (classes .== labels.unsqueeze(1)).to(logits.dtype)
    let value = AttackLoss.of(logits, rivals) - AttackLoss.of(logits, labels)
    let gradient = withGrad {
      grad(of: output, wrt: [input], outputGradient: isRival - isLabel, retainGraph: !isLast)[0]
    }
    return (Self.finite(value), Self.finite(gradient.flatten(1)))
  }

  private static func finite(_ tensor: Tensor) -> Tensor {
    tensor.nanToNum(posinf: 0, neginf: 0)
  }
}

extension Search {
  /// The network at `current`, ready for gradients of differences between its logits.
  func graph(at current: Tensor, of rows: Rows) -> LogitGraph {
    charge(Cost(forwards: 1), to: rows)
    return LogitGraph(classifier, at: current)
  }
}
