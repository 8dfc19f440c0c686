import Foundation
import NamidAttacks
import NamidInformation
import NamidNetworks
import NamidTorch

/// Natural-adversarial mutual-information-based defense (Zhou et al., ICML 2022), Algorithm 1.
public struct NAMID: Defense {
  /// All choices of the method; the defaults are the paper's.
  public struct Settings: BalancedSettings {
    /// `namid`.
    public static let key = "namid"
    /// The weight α of the MI term in Equation 9.
    public var alpha = 5.0
    /// The weight λ of the MI values in Equation 8; the authors' released code has 0.
    public var lambda = 0.1
    /// The vectors that the cosine of Equation 8 compares.
    public var cosine = CosineForm.batch
    /// The one estimator that is used, for the ablations of Figure 5; both when null.
    public var only: Only?
    /// The rule by which logits become labels in Equation 6.
    public var selection = SelectionRule.argmax
    /// Epochs without the MI term at the start; the authors' code has 2.
    public var warmUpEpochs = 0
    /// The training of those epochs.
    public var warmUp = WarmUp.natural
    /// The forward passes that move the running statistics of batch normalisation.
    public var statistics = StatisticsPasses.both
    /// The term that is added to the adversarial loss: the method's, or a control's in its place.
    public var term = Term.mutualInformation
    /// The precision of the estimators' scores: float32, or tf32 where the last digits do not matter.
    public var scorePrecision = Precision.float32
    /// The weight of the control; null gives it the strength of the MI term in every batch.
    public var pairingWeight: Double?
    /// The number that the sum of Equation 8 over the selected samples is divided by.
    public var mean = Mean.selected
    /// The rule that keeps α·L_mi from outweighing the adversarial loss.
    public var balance = Balance.none
    /// The bound of the rule, relative to the length of the adversarial loss's gradient.
    public var balanceRatio = 0.5
    /// The variables by which the two gradients are compared.
    public var balanceOn = BalancePlace.logits

    /// The paper's choices.
    public init() {}

    /// Refuses negative weights and counts.
    public func validate() throws {
      try require(alpha >= 0, "alpha", "must not be negative")
      try require(lambda >= 0, "lambda", "must not be negative")
      try require(warmUpEpochs >= 0, "warmUpEpochs", "must not be negative")
      try require((pairingWeight ?? 0) >= 0, "pairingWeight", "must not be negative")
      try require(
        scorePrecision != .bfloat16, "scorePrecision", "must be float32 or tf32")
      try validateBalance()
    }

    /// The choices of the authors' released code.
    public static var reference: Settings {
      var settings = Settings()
      settings.lambda = 0
      settings.selection = .batchSoftmax
      settings.warmUpEpochs = 2
      settings.statistics = .reference
      return settings
    }
  }

  /// The training before the MI term joins.
  public enum WarmUp: String, CaseIterable, Codable, Sendable {
    /// Ordinary training, as in the authors' code.
    case natural
    /// Adversarial training alone: nothing is lost when the attack sets in.
    case standard
  }

  /// The term that is added to the adversarial loss.
  public enum Term: String, CaseIterable, Codable, Sendable {
    /// L_mi of Equation 8.
    case mutualInformation = "mutual-information"
    /// A control without mutual information: logits of the same samples are pulled together (adversarial logit
    /// pairing, Kannan et al., 2018), with a gradient as long as that of L_mi.
    case logitPairing = "logit-pairing"
    /// A control without any meaning: a random direction on the logits that L_mi moves, as long as its gradient.
    case randomDirection = "random-direction"
  }

  /// The number that a sum over the selected samples is divided by.
  public enum Mean: String, CaseIterable, Codable, Sendable {
    /// The number m of selected samples: the paper.
    case selected
    /// The size of the batch, as in the adversarial loss: few samples do not weigh more than many.
    case batch
  }

  /// An ablation: which half of L_mi is left.
  public enum Only: String, CaseIterable, Codable, Sendable {
    /// The natural MI: its cosine and −λ·I(x; h(x̃)).
    case natural
    /// The adversarial MI: its cosine and λ·I(n; h(x̃)).
    case adversarial
  }

  /// The forward passes that move the running statistics of batch normalisation.
  public enum StatisticsPasses: String, CaseIterable, Codable, Sendable {
    /// The adversarial pass and then the natural pass, once each.
    case both
    /// The adversarial pass only, as in standard adversarial training.
    case adversarial
    /// As the seven passes of the authors' code leave them (a, n, a, n, a, a, n).
    case reference

    /// The batch's weight in the running statistics, for the adversarial and then the natural pass; nil is usual.
    ///
    /// Seven passes with momentum 0.1 leave 0.4783 of the old value, 0.2897 of the adversarial batch and 0.2319
    /// of the natural one; two passes with these weights leave the same.
    var momenta: (adversarial: Double?, natural: Double?) {
      switch self {
      case .both: return (nil, nil)
      case .adversarial: return (nil, 0)
      case .reference:
        let kept = 0.9
        let natural = 0.1 * (1 + kept * kept * kept + kept * kept * kept * kept * kept)
        let adversarial = 1 - pow(kept, 7) - natural
        return (adversarial / (1 - natural), natural)
      }
    }
  }

  /// `namid`, `namid-t` or `namid-m`.
  public let name: String
  /// The choices made.
  public var settings: Settings
  /// L_adv of Equation 9, with its attack.
  public var base: any AdversarialObjective
  /// The trained estimators, frozen.
  public let estimators: EstimatorPair
  /// Random directions are drawn from it, keyed by epoch and sample.
  public let stream: RandomStream

  /// The defense with trained estimators, which it freezes.
  ///
  /// - Parameters:
  ///   - base: L_adv of Equation 9; standard adversarial training in NAMID itself.
  ///   - name: The name in files and tables.
  ///   - estimators: Natural and adversarial MI.
  ///   - settings: All other choices.
  ///   - stream: Random directions are drawn from it.
  public init(
    _ base: any AdversarialObjective, name: String = "namid", estimators: EstimatorPair,
    settings: Settings = Settings(), stream: RandomStream = RandomStream(seed: 0)
  ) {
    self.base = base
    self.name = name
    self.estimators = estimators
    self.settings = settings
    self.stream = stream
    estimators.freeze()
    estimators.natural.scorePrecision = settings.scorePrecision
    estimators.adversarial.scorePrecision = settings.scorePrecision
  }

  /// True: each step asks for the number of samples that the attack has flipped (Equation 6).
  public var asksDevice: Bool { true }

  /// 0 in the warm-up, then 1.
  public func stage(epoch: Int) -> Int { epoch < settings.warmUpEpochs ? 0 : 1 }

  /// The base's images; none in a warm-up with ordinary training.
  public func craft(
    on network: Network, batch: Batch, streams: RandomStreams, epoch: Int
  ) -> Tensor? {
    if epoch < settings.warmUpEpochs && settings.warmUp == .natural { return nil }
    return base.craft(on: network, batch: batch, streams: streams, epoch: epoch)
  }

  /// L_adv + α·L_mi (Equation 9); the loss of ordinary training or of the base during warm-up.
  public func loss(
    of network: Network, batch: Batch, attacked: Tensor?, epoch: Int
  ) -> DefenseLoss {
    if epoch < settings.warmUpEpochs {
      let warmUp: any Defense =
        settings.warmUp == .natural ? NaturalTraining(labelLoss: base.labelLoss) : base
      return warmUp.loss(of: network, batch: batch, attacked: attacked, epoch: epoch)
    }
    let attacked = attacked ?? batch.images
    let momenta = settings.statistics.momenta
    let adversarial = network.logits(attacked, statisticsMomentum: momenta.adversarial)
    let natural = network.logits(batch.images, statisticsMomentum: momenta.natural)
    let sum = BalancedSum(
      settings, logits: [adversarial, natural], readByLoss: base.readsNatural ? 2 : 1)
    let objective = base.loss(
      natural: base.readsNatural ? sum.inputs[1] : nil, adversarial: sum.inputs[0],
      labels: batch.labels)
    let term = addedLoss(
      batch: batch, attacked: attacked, natural: sum.inputs[1], adversarial: sum.inputs[0],
      epoch: epoch)
    return sum.total(
      objective, term, weight: settings.alpha, weights: network.store.parameters)
  }
}

extension NAMID {
  static let entries = [
    DefenseEntry(
      name: "namid", summary: "standard adversarial training with the natural and adversarial MI",
      source: "Zhou et al., ICML 2022", settings: [Settings.self], estimators: .required(.pair),
      passes: TrainingPasses(updates: 2, features: 4)
    ) { parts in
      NAMID(
        StandardAT(attack: parts.attack, labelLoss: parts.labelLoss),
        estimators: try parts.pair(), settings: parts[Settings.self], stream: parts.stream)
    },
    DefenseEntry(
      name: "namid-t", summary: "NAMID with the loss and the attack of TRADES",
      source: "Zhou et al., ICML 2022", settings: [Settings.self, TRADES.Settings.self],
      estimators: .required(.pair), weightPerturbation: .trades,
      passes: TrainingPasses(gradientsPerStep: 1.5, updates: 2, features: 4)
    ) { parts in
      NAMID(
        TRADES(parts: parts), name: "namid-t", estimators: try parts.pair(),
        settings: parts[Settings.self], stream: parts.stream)
    },
    DefenseEntry(
      name: "namid-m", summary: "NAMID with the loss of MART",
      source: "Zhou et al., ICML 2022", settings: [Settings.self, MART.Settings.self],
      estimators: .required(.pair), passes: TrainingPasses(updates: 2, features: 4)
    ) { parts in
      NAMID(
        MART(parts: parts), name: "namid-m", estimators: try parts.pair(),
        settings: parts[Settings.self], stream: parts.stream)
    },
  ]
}
