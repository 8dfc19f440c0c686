import NamidTorch

/// The rule by which logits become labels when samples are selected (δ in Equation 6).
public enum SelectionRule: String, CaseIterable, Codable, Sendable {
  /// The largest logit: the paper.
  case argmax
  /// The largest after a softmax over the batch: the authors' code, a class-prior-corrected argmax.
  case batchSoftmax = "batch-softmax"

  /// Computes labels (N) of logits (N, classes).
  public func labels(_ logits: Tensor) -> Tensor {
    switch self {
    case .argmax: logits.argmax(1)
    case .batchSoftmax: (logits - logits.logsumexp([0], keepdim: true)).argmax(1)
    }
  }
}

/// The samples of a batch that take part, chosen by a network's outputs for them unattacked and attacked.
///
/// The device is asked for the number of samples of a kind when its indices are first read, and at no other time.
public final class Selection {
  private let isRight: Tensor
  private let isWrong: Tensor
  /// Indices (int64, ascending) of the samples that are right unattacked and wrong attacked: Equation 6's X′.
  public private(set) lazy var flipped = indices(isRight .& isWrong)
  /// Indices of the samples that are right both unattacked and attacked.
  public private(set) lazy var robust = indices(isRight .& isWrong.logicalNot())
  /// Indices of the samples that are right unattacked.
  public private(set) lazy var right = indices(isRight)

  /// Selects samples of each kind by logits and labels, without gradients.
  public init(
    natural: Tensor, adversarial: Tensor, labels: Tensor, rule: SelectionRule = .argmax
  ) {
    (isRight, isWrong) = withoutGrad {
      (rule.labels(natural.detach()) .== labels, rule.labels(adversarial.detach()) .!= labels)
    }
  }

  private func indices(_ mask: @autoclosure () -> Tensor) -> Tensor {
    withoutGrad { mask().nonzeroIndices() }
  }
}
