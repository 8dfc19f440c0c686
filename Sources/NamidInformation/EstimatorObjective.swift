import NamidTorch

/// The objective that the two estimators are trained for.
public enum EstimatorObjective: String, CaseIterable, Codable, Sendable {
  /// Equation 4: raise natural MI of natural samples, adversarial MI of adversarial samples.
  case eq4
  /// Equation 5: as Equation 4, on selected samples, and also lower natural MI of adversarial samples and adversarial
  /// MI of natural samples.
  ///
  /// The loss as printed has no lower bound; MI is not negative, so the lowered term counts only above 0.
  case eq5
  /// The authors' code: cosines in place of the lowered terms, on flipped and on robust samples.
  case cosine
}

/// Losses −I by position of one estimator for one batch, each (N, positions), computed when first asked for.
///
/// In training a pass through an estimator also changes its running statistics, so an objective must not cause passes
/// that it does not use.
final class EstimatorLosses {
  private let makeNatural: () -> Tensor
  private let makeAdversarial: () -> Tensor
  private(set) lazy var natural = makeNatural()
  private(set) lazy var adversarial = makeAdversarial()

  init(
    natural: @autoclosure @escaping () -> Tensor, adversarial: @autoclosure @escaping () -> Tensor
  ) {
    makeNatural = natural
    makeAdversarial = adversarial
  }

  func selected(_ indices: Tensor) -> EstimatorLosses {
    EstimatorLosses(
      natural: self.natural.indexSelect(indices), adversarial: self.adversarial.indexSelect(indices)
    )
  }
}

extension EstimatorObjective {
  /// Computes the loss of the natural estimator; nil when no sample of the batch takes part.
  func naturalLoss(_ losses: EstimatorLosses, _ selection: Selection) -> Tensor? {
    switch self {
    case .eq4:
      return losses.natural.mean()
    case .eq5:
      let flipped = losses.selected(selection.flipped)
      return Self.contrast(raised: flipped.natural, lowered: flipped.adversarial)
    case .cosine:
      let right = selection.right.count
      guard right > 0 else { return losses.natural.mean() }
      let flipped = losses.selected(selection.flipped)
      let robust = losses.selected(selection.robust)
      return Self.sum([
        Self.ifAny(selection.flipped) {
          5 * CosineForm.batch.similarity(flipped.natural, flipped.adversarial).abs()
            + flipped.natural.mean([1]).sum() / Double(right)
        },
        Self.ifAny(selection.robust) {
          0.5
            * (5 * CosineForm.batch.loss(robust.natural, robust.adversarial)
              + robust.natural.mean([1]).sum() / Double(right))
        },
      ])
    }
  }

  /// Computes the loss of the adversarial estimator; nil when no sample of the batch takes part.
  func adversarialLoss(_ losses: EstimatorLosses, _ selection: Selection) -> Tensor? {
    switch self {
    case .eq4:
      return losses.adversarial.mean()
    case .eq5:
      let flipped = losses.selected(selection.flipped)
      return Self.contrast(raised: flipped.adversarial, lowered: flipped.natural)
    case .cosine:
      guard selection.right.count > 0 else { return losses.adversarial.mean() }
      let flipped = losses.selected(selection.flipped)
      let robust = losses.selected(selection.robust)
      return Self.sum([
        Self.ifAny(selection.flipped) {
          5 * CosineForm.batch.similarity(flipped.adversarial, flipped.natural).abs()
            + flipped.adversarial.mean()
        },
        Self.ifAny(selection.robust) {
          0.5
            * (8 * CosineForm.batch.loss(robust.natural, robust.adversarial)
              - 0.1 * robust.adversarial.mean())
        },
      ])
    }
  }

  /// Computes minus the difference of two mean MIs, the second floored at 0 per sample; nil without samples.
  private static func contrast(raised: Tensor, lowered: Tensor) -> Tensor? {
    guard raised.size(0) > 0 else { return nil }
    let other = (-lowered.mean([1])).clamp(min: 0)
    return raised.mean([1]).mean() + other.mean()
  }

  private static func ifAny(_ indices: Tensor, _ loss: () -> Tensor) -> Tensor? {
    indices.count > 0 ? loss() : nil
  }

  private static func sum(_ terms: [Tensor?]) -> Tensor? {
    let present = terms.compactMap { $0 }
    guard let first = present.first else { return nil }
    return present.dropFirst().reduce(first, +)
  }
}

extension EstimatorPair {
  /// Computes the training losses of both estimators for one batch; nil where no sample takes part.
  ///
  /// - Parameters:
  ///   - images: Natural images (N, C, H, W).
  ///   - attacked: The attacked images of the same samples; the noise is the difference.
  ///   - labels: Classes (N).
  ///   - naturalLogits: The fixed network's logits of natural images.
  ///   - adversarialLogits: The fixed network's logits of attacked images.
  ///   - objective: The objective of training.
  ///   - rule: The rule by which logits become labels.
  /// - Returns: Both losses, of rank 0, and the samples that took part.
  public func trainingLosses(
    images: Tensor, attacked: Tensor, labels: Tensor, naturalLogits: Tensor,
    adversarialLogits: Tensor, objective: EstimatorObjective, rule: SelectionRule = .argmax
  ) -> (natural: Tensor?, adversarial: Tensor?, selection: Selection) {
    let selection = Selection(
      natural: naturalLogits, adversarial: adversarialLogits, labels: labels, rule: rule)
    func loss(
      _ estimator: Estimator, _ patterns: Tensor, _ make: (EstimatorLosses) -> Tensor?
    ) -> Tensor? {
      let scores = PatternScores(
        local: estimator.features(of: patterns), leak: estimator.specification.leak)
      return make(
        EstimatorLosses(
          natural: scores.losses(of: estimator.outputs(naturalLogits)),
          adversarial: scores.losses(of: estimator.outputs(adversarialLogits)))
      ).map(scores.connected)
    }
    return (
      loss(natural, images) { objective.naturalLoss($0, selection) },
      loss(adversarial, attacked - images) { objective.adversarialLoss($0, selection) }, selection
    )
  }
}

extension Estimator {
  /// Computes the training loss of an estimator of standard MI: mean −I(x̃; h(x̃)) over the whole batch.
  ///
  /// - Parameters:
  ///   - patterns: Attacked images (N, C, H, W).
  ///   - logits: A network's logits of them.
  /// - Returns: The loss, of rank 0.
  public func standardLoss(patterns: Tensor, logits: Tensor) -> Tensor {
    loss(features(of: patterns)) { losses in losses(logits, nil).mean() }
  }
}
