import NamidTorch

/// The loss that an attack maximises, per sample, as a function of logits.
public enum AttackLoss: String, CaseIterable, Codable, Sendable {
  /// Cross-entropy of the label.
  case crossEntropy = "ce"
  /// Difference of logits ratio (Croce and Hein, ICML 2020, Equation 6); with two classes the margin.
  case dlr
  /// The largest logit of another class minus that of the label; positive where the network errs.
  case margin

  /// The losses (N) of logits (N, K) for labels (N); larger is better for the attacker.
  public func values(_ logits: Tensor, _ labels: Tensor) -> Tensor {
    switch self {
    case .crossEntropy: return logits.crossEntropy(labels, reduction: .none)
    case .margin: return logits.withoutLabels(labels).amax([1]) - Self.of(logits, labels)
    case .dlr:
      let margin = Self.margin.values(logits, labels)
      if logits.size(1) < 3 { return margin }
      let sorted = logits.topk(3).values
      return margin / (sorted.select(1, 0) - sorted.select(1, 2) + 1e-12)
    }
  }

  /// The losses (N) of moving logits (N, K) from labels (N) towards targets (N).
  ///
  /// Targeted DLR (the same paper, Equation 7); with fewer than four classes z_t − z_y.
  public static func targetedDLR(_ logits: Tensor, _ labels: Tensor, towards targets: Tensor)
    -> Tensor
  {
    let difference = of(logits, targets) - of(logits, labels)
    if logits.size(1) < 4 { return difference }
    let sorted = logits.topk(4).values
    let spread =
      sorted.select(1, 0) - (sorted.select(1, 2) + sorted.select(1, 3)) * 0.5 + 1e-12
    return difference / spread
  }

  /// The logit of one class per row.
  static func of(_ logits: Tensor, _ classes: Tensor) -> Tensor {
    logits.gather(classes.unsqueeze(1), dim: 1).squeeze(1)
  }
}
