import Torch

/// How logits become labels when samples are selected (δ in Equation 6).
public enum SelectionRule: String, CaseIterable, Codable, Sendable {
  /// The largest logit: the paper.
  case argmax
  /// The largest after a softmax over the batch: the authors' code, a class-prior-corrected argmax.
  case batchSoftmax = "batch-softmax"

  /// Labels (N) of logits (N, classes).
  public func labels(_ logits: Tensor) -> Tensor {
    switch self {
    case .argmax: logits.argmax(1)
    case .batchSoftmax: (logits - logits.logsumexp([0], keepdim: true)).argmax(1)
    }
  }
}

/// Which samples of a batch take part, by what a network says of them unattacked and attacked.
public struct Selection {
  /// Right unattacked and wrong attacked: Equation 6's X′.
  public let flipped: Tensor
  /// Right both unattacked and attacked.
  public let robust: Tensor
  /// Right unattacked.
  public let right: Tensor

  /// Indices (int64, ascending) of the samples of each kind, from logits and labels; no gradients.
  public init(
    natural: Tensor, adversarial: Tensor, labels: Tensor, rule: SelectionRule = .argmax
  ) {
    let masks = withoutGrad { () -> [Tensor] in
      let isRight = rule.labels(natural.detach()) .== labels
      let isWrong = rule.labels(adversarial.detach()) .!= labels
      return [isRight .& isWrong, isRight .& isWrong.logicalNot(), isRight]
        .map { $0.nonzeroIndices() }
    }
    flipped = masks[0]
    robust = masks[1]
    right = masks[2]
  }
}
