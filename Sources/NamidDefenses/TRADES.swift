import NamidNetworks
import NamidTorch

/// TRADES (Zhang et al., ICML 2019): accuracy on natural images against a divergence to attacked ones.
public struct TRADES: AdversarialObjective {
  /// All choices of the method; the defaults are the paper's.
  public struct Settings: DefenseSettings {
    /// `trades`.
    public static let key = "trades"
    /// The weight β = 1/λ of the divergence.
    public var beta = 6.0
    /// The forward passes that move the running statistics of batch normalisation.
    public var statistics = StatisticsPasses.once

    /// The paper's choices.
    public init() {}

    /// Refuses a negative weight.
    public func validate() throws {
      try require(beta >= 0, "beta", "must not be negative")
    }
  }

  /// The forward passes that move the running statistics of batch normalisation.
  public enum StatisticsPasses: String, CaseIterable, Codable, Sendable {
    /// The natural pass and then the adversarial one, once each.
    case once
    /// As the three passes of the authors' code leave them (natural, adversarial, natural).
    case reference
  }

  /// `trades`.
  public let name = "trades"
  /// The choices made.
  public var settings: Settings
  /// Crafts the images to train on.
  public var attack: TrainingAttack
  /// The cross-entropy.
  public var labelLoss: LabelLoss
  /// True: the loss compares natural with attacked images.
  public let readsNatural = true

  /// TRADES with an attack.
  public init(
    attack: TrainingAttack, labelLoss: LabelLoss = LabelLoss(), settings: Settings = Settings()
  ) {
    self.attack = attack
    self.labelLoss = labelLoss
    self.settings = settings
  }

  /// Three passes with momentum 0.1 leave 0.729 of the old value, 0.181 of the natural batch and 0.09 of the
  /// adversarial one; a natural and then an adversarial pass with these weights leave the same.
  public var momenta: (natural: Double?, adversarial: Double?) {
    settings.statistics == .once ? (nil, nil) : (0.181 / 0.91, 0.09)
  }

  /// KL(p(x)‖p(x̃)), for the prediction p(x) that the attack sees.
  public func attackLoss(
    on classifier: any Classifier, images: Tensor
  ) -> ((Tensor) -> Tensor)? {
    let natural = classifier.logits(images)
    return { divergence(from: natural, to: $0) }
  }

  /// CE(h(x), y) + β·KL(p(x)‖p(x̃)), means over the batch, with gradients through both.
  public func loss(natural: Tensor?, adversarial: Tensor, labels: Tensor) -> DefenseLoss {
    guard let natural else { preconditionFailure("TRADES reads the logits of natural images") }
    let accuracy = labelLoss(natural, labels)
    let distance = divergence(from: natural, to: adversarial).mean()
    return DefenseLoss(
      total: accuracy + settings.beta * distance, terms: [("ce", accuracy), ("kl", distance)])
  }
}

extension TRADES {
  static let entry = DefenseEntry(
    name: "trades", summary: "natural accuracy against a divergence to attacked images",
    source: "Zhang et al., ICML 2019", settings: [Settings.self],
    weightPerturbation: .trades,
    recipe: [
      "threat.epsilon=0.031", "attack.stepSize=0.007", "training.epochs=76",
      "training.batchSize=128", "schedule.milestones=[74]", "trades.statistics=reference",
    ],
    // The attack's loss compares with the natural image: half of a gradient more.
    passes: TrainingPasses(gradientsPerStep: 1.5, updates: 2)
  ) { TRADES(parts: $0) }

  init(parts: DefenseParts) {
    self.init(
      attack: parts.attack, labelLoss: parts.labelLoss, settings: parts[Settings.self])
  }
}
