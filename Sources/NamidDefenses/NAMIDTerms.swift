import NamidInformation
import NamidNetworks
import NamidTorch

/// The term that NAMID adds to an adversarial loss.
extension NAMID {
  /// One estimator's part of Equation 8, from losses −I by position, both (selected samples, positions).
  struct Part {
    /// L_cos + weight · mean −I(x̃).
    let total: Tensor
    /// L_cos.
    let cosine: Tensor
    /// The mean estimate for attacked samples.
    let information: Tensor

    /// - Parameters:
    ///   - natural: −I of natural samples.
    ///   - adversarial: −I of adversarial samples.
    ///   - weight: λ for the natural estimator, whose MI is raised, and −λ for the adversarial one.
    ///   - form: The vectors that the cosine compares.
    init(natural: Tensor, adversarial: Tensor, weight: Double, form: CosineForm) {
      cosine = form.loss(natural, adversarial)
      let value = adversarial.mean()
      information = -value.detach()
      total = cosine + weight * value
    }
  }

  /// The added loss of a batch, from the network's logits of natural and attacked images.
  func addedLoss(
    batch: Batch, attacked: Tensor, natural: Tensor, adversarial: Tensor, epoch: Int
  ) -> DefenseLoss {
    switch settings.term {
    case .mutualInformation:
      mutualInformationLoss(
        batch: batch, attacked: attacked, natural: natural, adversarial: adversarial)
    case .logitPairing:
      pairingLoss(batch: batch, attacked: attacked, natural: natural, adversarial: adversarial)
    case .randomDirection:
      directionLoss(
        batch: batch, attacked: attacked, natural: natural, adversarial: adversarial, epoch: epoch)
    }
  }

  /// L_mi (Equation 8).
  ///
  /// Zero without a gradient when no sample is selected. With one selected sample the batch cosine is ±1 and has
  /// no gradient; the λ term remains.
  func mutualInformationLoss(
    batch: Batch, attacked: Tensor, natural: Tensor, adversarial: Tensor
  ) -> DefenseLoss {
    let selected = selection(batch, natural, adversarial)
    let device = natural.device
    let share = (
      "selected", Tensor.scalar(Double(selected.count) / Double(natural.size(0)), device: device)
    )
    guard selected.count > 0 else {
      return DefenseLoss(total: .scalar(0, device: device), terms: [share])
    }
    // One estimator after the other: where features are large, those of one are gone before the next.
    func part(_ estimator: Estimator, _ patterns: Tensor, weight: Double) -> (Tensor, Part?) {
      let features = withoutGrad { estimator.features(of: patterns) }
      var part: Part?
      let total = estimator.loss(features) { losses in
        let made = Part(
          natural: losses(natural, selected), adversarial: losses(adversarial, selected),
          weight: weight, form: settings.cosine)
        part = made
        return made.total
      }
      return (total, part)
    }
    let none = (Tensor.scalar(0, device: device), Part?.none)
    let (ofImages, n) =
      settings.only == .adversarial
      ? none : part(estimators.natural, batch.images, weight: settings.lambda)
    let (ofNoise, a) =
      settings.only == .natural
      ? none
      : part(estimators.adversarial, attacked - batch.images, weight: -settings.lambda)
    let terms = [
      ("cos_n", n?.cosine), ("cos_a", a?.cosine), ("mi_n", n?.information),
      ("mi_a", a?.information),
    ]
    return DefenseLoss(
      total: averaged(ofImages + ofNoise, selected, of: natural.size(0)),
      terms: terms.compactMap { name, term in term.map { (name, $0) } }
        + [share])
  }

  /// The control: half the mean squared distance of the selected samples' logits.
  ///
  /// Without a weight of its own it gets the one that makes its gradient with respect to all logits as long as that
  /// of L_mi, batch by batch: what differs is the direction alone.
  func pairingLoss(
    batch: Batch, attacked: Tensor, natural: Tensor, adversarial: Tensor
  ) -> DefenseLoss {
    let (reference, gradients) = referenceGradients(
      batch: batch, attacked: attacked, natural: natural, adversarial: adversarial)
    guard let gradients else { return reference }
    let selected = selection(batch, natural, adversarial)
    let difference = (natural - adversarial).indexSelect(selected)
    let distance = 0.5 * difference.square().sum([1]).mean()
    let weight: Tensor
    if let fixed = settings.pairingWeight {
      weight = averaged(.scalar(fixed, device: natural.device), selected, of: natural.size(0))
    } else {
      let squares = gradients.map { $0.square().sum() }
      // ∂distance/∂z = (z − z̃)/m, and minus that for z̃.
      let own = (2 * difference.detach().square().sum()).sqrt() / Double(selected.count)
      weight = (squares[0] + squares[1]).sqrt() / own.clamp(min: 1e-12)
    }
    return DefenseLoss(
      total: weight * distance,
      terms: [("pairing", distance), ("pairing_weight", weight)] + reference.terms)
  }

  /// The control without any meaning: a value of 0 whose gradient on the logits is random.
  ///
  /// It is normal on the logits where that of L_mi is not zero, and as long as that, batch by batch.
  func directionLoss(
    batch: Batch, attacked: Tensor, natural: Tensor, adversarial: Tensor, epoch: Int
  ) -> DefenseLoss {
    let (reference, gradients) = referenceGradients(
      batch: batch, attacked: attacked, natural: natural, adversarial: adversarial)
    guard let gradients else { return reference }
    let streams = RandomStreams(
      batch.indices.map { stream.keyed("direction").keyed(epoch).keyed($0) })
    let direction = withoutGrad {
      let given = Tensor.stack(gradients, dim: 1)
      let moved = (given.abs().amax([2], keepdim: true) .> 0).to(.float32)
      let random =
        moved * Tensor.normal(streams, shape: Array(given.shape[1...]), device: given.device)
      return random * (given.norm() / random.norm().clamp(min: 1e-12))
    }
    return DefenseLoss(
      total: BalancedSum.pull(natural, along: direction.select(1, 0))
        + BalancedSum.pull(adversarial, along: direction.select(1, 1)), terms: reference.terms)
  }

  /// L_mi on copies of the logits, and its gradients on the natural and the adversarial ones; nil without samples.
  private func referenceGradients(
    batch: Batch, attacked: Tensor, natural: Tensor, adversarial: Tensor
  ) -> (loss: DefenseLoss, gradients: [Tensor]?) {
    let leaves = [natural.leaf(), adversarial.leaf()]
    let reference = withGrad {
      mutualInformationLoss(
        batch: batch, attacked: attacked, natural: leaves[0], adversarial: leaves[1])
    }
    return (
      reference, reference.total.requiresGrad ? grad(of: reference.total, wrt: leaves) : nil
    )
  }

  /// A mean over the selected samples as the settings have it: itself, or the sum divided by the size of the batch.
  private func averaged(_ mean: Tensor, _ selected: Tensor, of count: Int) -> Tensor {
    settings.mean == .selected ? mean : mean * (Double(selected.count) / Double(count))
  }

  private func selection(_ batch: Batch, _ natural: Tensor, _ adversarial: Tensor) -> Tensor {
    Selection(
      natural: natural, adversarial: adversarial, labels: batch.labels, rule: settings.selection
    ).flipped
  }
}
