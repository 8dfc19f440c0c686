import NamidAttacks
import NamidInformation
import NamidNetworks
import NamidTorch

/// Adversarial training that also raises the standard MI of adversarial samples: the paper's baseline WMIM.
///
/// It refers to Zhu et al. (ICML 2020). The paper gives neither a weight nor a program for it, so weight, mode and
/// crafting are choices of ours, all of them settings.
public struct WMIM: Defense {
  /// All choices of the method.
  public struct Settings: BalancedSettings {
    /// `wmim`.
    public static let key = "wmim"
    /// The weight of −I(x̃; h(x̃)); the λ of NAMID unless said otherwise.
    public var weight = 0.1
    /// The choice between an estimator that stays as it was trained and one that learns along.
    public var mode = Mode.frozen
    /// The loss that the attack maximises.
    public var crafting = Crafting.crossEntropy
    /// Adam's learning rate of the estimator with mode `joint` (Zhu et al.).
    public var learningRate = 1e-4
    /// Length of the feature vectors of an estimator that starts afresh, with mode `joint`.
    public var units = 2048
    /// True if the masked positive stays in the sum of negatives of such an estimator.
    public var leak = true
    /// The precision of the estimators' scores: float32, or tf32 where the last digits do not matter.
    public var scorePrecision = Precision.float32
    /// The rule that keeps the MI from outweighing the cross-entropy.
    public var balance = Balance.none
    /// The bound of the rule, relative to the length of the cross-entropy's gradient.
    public var balanceRatio = 0.5
    /// The variables by which the two gradients are compared.
    public var balanceOn = BalancePlace.logits

    /// A frozen estimator and the usual attack.
    public init() {}

    /// Refuses what cannot work.
    public func validate() throws {
      try require(weight >= 0, "weight", "must not be negative")
      try require(learningRate > 0, "learningRate", "must be positive")
      try require(
        scorePrecision != .bfloat16, "scorePrecision", "must be float32 or tf32")
      try require(
        EstimatorSpecification.possibleUnits.contains(units), "units",
        "must be from 1 to \(EstimatorSpecification.possibleUnits.upperBound)")
      try validateBalance()
    }
  }

  /// The state of the estimator during training.
  public enum Mode: String, CaseIterable, Codable, Sendable {
    /// The estimator stays as `train-estimators` left it.
    case frozen
    /// The estimator learns along with the network on the same loss, from saved weights where there are any (Zhu et
    /// al.).
    case joint
  }

  /// The loss that the attack maximises.
  public enum Crafting: String, CaseIterable, Codable, Sendable {
    /// The cross-entropy of the labels.
    case crossEntropy = "cross-entropy"
    /// −I(x̃; h(x̃)), the worst case of Zhu et al.; a sample's value depends on its batch.
    case mutualInformation = "mutual-information"
  }

  /// `wmim`.
  public let name = "wmim"
  /// The choices made.
  public var settings: Settings
  /// Crafts the images to train on.
  public var attack: TrainingAttack
  /// The cross-entropy.
  public var labelLoss: LabelLoss
  /// Estimates I(X̃; h(X̃)).
  public let estimator: Estimator

  /// The defense with an estimator, which it freezes unless the mode is `joint`.
  public init(
    attack: TrainingAttack, estimator: Estimator, labelLoss: LabelLoss = LabelLoss(),
    settings: Settings = Settings()
  ) {
    self.attack = attack
    self.estimator = estimator
    self.labelLoss = labelLoss
    self.settings = settings
    estimator.scorePrecision = settings.scorePrecision
    if settings.mode == .frozen {
      estimator.freeze()
    } else {
      estimator.store.setRequiresGrad(true)
    }
  }

  /// The estimator with mode `joint`.
  public var companions: [Companion] {
    guard settings.mode == .joint else { return [] }
    return [
      Companion(name: "standard", store: estimator.store, learningRate: settings.learningRate)
    ]
  }

  /// Images on which the cross-entropy is large, or the estimated MI small.
  public func craft(
    on network: Network, batch: Batch, streams: RandomStreams, epoch: Int
  ) -> Tensor? {
    switch settings.crafting {
    case .crossEntropy:
      return attack.craft(on: network, batch: batch, streams: streams)
    case .mutualInformation:
      return estimator.store.frozen {
        attack.craft(on: network, batch: batch, streams: streams) { images, logits in
          let features = withoutGrad { estimator.features(of: images) }
          return estimator.losses(features, logits: logits).mean([1])
        }
      }
    }
  }

  /// CE(h(x̃), y) − w·mean I(x̃; h(x̃)).
  public func loss(
    of network: Network, batch: Batch, attacked: Tensor?, epoch: Int
  ) -> DefenseLoss {
    let attacked = attacked ?? batch.images
    let sum = BalancedSum(settings, logits: [network.logits(attacked)], readByLoss: 1)
    let crossEntropy = labelLoss(sum.inputs[0], batch.labels)
    let information = estimator.standardLoss(patterns: attacked, logits: sum.inputs[0])
    return sum.total(
      DefenseLoss(total: crossEntropy, terms: [("ce_adv", crossEntropy)]),
      DefenseLoss(total: information, terms: [("mi_s", -information)]), weight: settings.weight,
      weights: network.store.parameters, learns: settings.mode == .joint)
  }
}

extension WMIM {
  static let entry = DefenseEntry(
    name: "wmim", summary: "adversarial training that raises the standard MI of attacked images",
    source: "after Zhu et al., ICML 2020, as a baseline of Zhou et al., ICML 2022",
    settings: [Settings.self],
    estimators: { $0[Settings.self].mode == .frozen ? .required(.standard) : .optional(.standard) },
    passes: TrainingPasses(features: 2)
  ) { parts in
    let settings = parts[Settings.self]
    let own = parts.network.specification
    let specification = EstimatorSpecification(
      units: settings.units, classCount: own.classCount, channels: own.channels,
      leak: settings.leak)
    let estimator =
      parts.standardEstimator
      ?? Estimator(
        specification, stream: parts.stream.keyed("standard"), device: parts.network.store.device)
    return WMIM(
      attack: parts.attack, estimator: estimator, labelLoss: parts.labelLoss, settings: settings)
  }
}
