import NamidTorch

/// MART (Wang et al., ICLR 2020): a boosted cross-entropy, and a divergence that counts more where x is misjudged.
///
/// The authors' code has no attack in the L2 ball; here PGD crafts images in either norm.
public struct MART: AdversarialObjective {
  /// All choices of the method; the defaults are those of the authors' script for ResNet-18.
  public struct Settings: DefenseSettings {
    /// `mart`.
    public static let key = "mart"
    /// The weight of the divergence; 6 in the authors' script for WideResNet.
    public var beta = 5.0

    /// The authors' choices.
    public init() {}

    /// Refuses a negative weight.
    public func validate() throws {
      try require(beta >= 0, "beta", "must not be negative")
    }
  }

  /// `mart`.
  public let name = "mart"
  /// The choices made.
  public var settings: Settings
  /// Crafts the images to train on.
  public var attack: TrainingAttack
  /// The cross-entropy within the boosted one; the margin part has no labels to smooth.
  public var labelLoss: LabelLoss
  /// True: the loss compares natural with attacked images.
  public let readsNatural = true

  /// MART with an attack.
  public init(
    attack: TrainingAttack, labelLoss: LabelLoss = LabelLoss(), settings: Settings = Settings()
  ) {
    self.attack = attack
    self.labelLoss = labelLoss
    self.settings = settings
  }

  /// CE(h(x̃), y) − log(1.0001 − max_{k≠y} p_k(x̃) + 1e-12) + β·KL(p(x)‖p(x̃))·(1.0000001 − p_y(x)).
  ///
  /// Means over the batch, with gradients through everything; the constants are the authors'.
  public func loss(natural: Tensor?, adversarial: Tensor, labels: Tensor) -> DefenseLoss {
    guard let natural else { preconditionFailure("MART reads the logits of natural images") }
    let probabilities = adversarial.softmax(1)
    let wrong = probabilities.withoutLabels(labels).amax([1])
    let crossEntropy = labelLoss(adversarial, labels)
    let margin = -(1.0001 - wrong + 1e-12).log().mean()

    let logNatural = natural.logSoftmax(1)
    let logAdversarial = (probabilities + 1e-12).log()
    let distance = (logNatural.exp() * (logNatural - logAdversarial)).sum([1])
    let right = logNatural.exp().gather(labels.unsqueeze(1), dim: 1).squeeze(1)
    let weighted = (distance * (1.0000001 - right)).mean()
    return DefenseLoss(
      total: crossEntropy + margin + settings.beta * weighted,
      terms: [("ce_adv", crossEntropy), ("margin", margin), ("kl_weighted", weighted)])
  }
}

extension MART {
  static let entry = DefenseEntry(
    name: "mart", summary: "a boosted cross-entropy and a divergence weighted by misjudgement",
    source: "Wang et al., ICLR 2020", settings: [Settings.self],
    recipe: [
      "threat.epsilon=0.031", "attack.stepSize=0.007", "training.epochs=120",
      "training.batchSize=128", "optimizer.learningRate=0.01", "optimizer.weightDecay=3.5e-3",
      "schedule.milestones=[74, 89, 99]",
    ], passes: TrainingPasses(updates: 2)
  ) { MART(parts: $0) }

  init(parts: DefenseParts) {
    self.init(
      attack: parts.attack, labelLoss: parts.labelLoss, settings: parts[Settings.self])
  }
}
