import NamidTorch

/// Standard adversarial training (Madry et al., ICLR 2018).
public struct StandardAT: AdversarialObjective {
  /// `standard`.
  public let name = "standard"
  /// Crafts the images to train on.
  public var attack: TrainingAttack
  /// The cross-entropy.
  public var labelLoss: LabelLoss
  /// False: the loss reads attacked images alone.
  public let readsNatural = false

  /// Adversarial training with an attack.
  public init(attack: TrainingAttack, labelLoss: LabelLoss = LabelLoss()) {
    self.attack = attack
    self.labelLoss = labelLoss
  }

  /// CE(h(x̃), y).
  public func loss(natural: Tensor?, adversarial: Tensor, labels: Tensor) -> DefenseLoss {
    let loss = labelLoss(adversarial, labels)
    return DefenseLoss(total: loss, terms: [("ce_adv", loss)])
  }
}

extension StandardAT {
  static let entry = DefenseEntry(
    name: "standard", summary: "standard adversarial training", source: "Madry et al., ICLR 2018"
  ) { StandardAT(attack: $0.attack, labelLoss: $0.labelLoss) }
}
