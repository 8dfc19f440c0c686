import Attacks
import Datasets
import Foundation
import Models
import MutualInformation
import Records
import Torch

/// Natural-adversarial mutual-information-based defense (Zhou et al., ICML 2022), Algorithm 1.
public struct NAMID: Defense {
  /// All choices of the method; the defaults are the paper's.
  public struct Settings: ConfigurationGroup, Hashable, Sendable {
    /// The weight α of the MI term in Equation 9.
    public var alpha = 5.0
    /// The weight λ of the MI values in Equation 8; the authors' released code has 0.
    public var lambda = 0.1
    /// What the cosine of Equation 8 compares.
    public var cosine = CosineForm.batch
    /// How logits become labels in Equation 6.
    public var selection = SelectionRule.argmax
    /// Epochs without the MI term at the start; the authors' code has 2.
    public var warmUpEpochs = 0
    /// What is trained in those epochs.
    public var warmUp = WarmUp.natural
    /// Which forward passes move the running statistics of batch normalisation.
    public var statistics = StatisticsPasses.both

    /// The paper's choices.
    public init() {}

    /// Refuses negative weights and counts.
    public func validate() throws {
      try require(alpha >= 0, "alpha", "must not be negative")
      try require(lambda >= 0, "lambda", "must not be negative")
      try require(warmUpEpochs >= 0, "warmUpEpochs", "must not be negative")
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

  /// What is trained before the MI term joins.
  public enum WarmUp: String, CaseIterable, Codable, Sendable {
    /// Ordinary training, as in the authors' code.
    case natural
    /// Standard adversarial training: nothing is lost when the attack sets in.
    case standard
  }

  /// Which forward passes move the running statistics of batch normalisation.
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

  /// `namid`.
  public let name = "namid"
  /// The choices made.
  public var settings: Settings
  /// Crafts the images to train on.
  public var attack: PGD
  /// The trained estimators, frozen.
  public let estimators: EstimatorPair

  /// The defense with trained estimators, which it freezes.
  public init(attack: PGD, estimators: EstimatorPair, settings: Settings = Settings()) {
    self.attack = attack
    self.estimators = estimators
    self.settings = settings
    estimators.freeze()
  }

  /// L_adv + α·L_mi (Equation 9); the loss of ordinary or standard training during warm-up.
  public func loss(
    of network: Network, batch: Batch, streams: [RandomStream], epoch: Int
  ) -> DefenseLoss {
    if epoch < settings.warmUpEpochs {
      let warmUp: any Defense =
        settings.warmUp == .natural ? NaturalTraining() : StandardAT(attack: attack)
      return warmUp.loss(of: network, batch: batch, streams: streams, epoch: epoch)
    }
    let attacked = attack.craft(
      on: network, images: batch.images, labels: batch.labels, streams: streams)
    let momenta = settings.statistics.momenta
    let adversarial = network.logits(attacked, statisticsMomentum: momenta.adversarial)
    let natural = network.logits(batch.images, statisticsMomentum: momenta.natural)
    let adversarialLoss = adversarial.crossEntropy(batch.labels)
    let term = mutualInformationLoss(
      images: batch.images, attacked: attacked, labels: batch.labels, natural: natural,
      adversarial: adversarial)
    return DefenseLoss(
      total: adversarialLoss + settings.alpha * term.total,
      terms: [("ce_adv", adversarialLoss)] + term.terms)
  }

  /// L_mi (Equation 8) of a batch, from the network's logits of natural and attacked images.
  ///
  /// Zero without a gradient when no sample is selected. With one selected sample the batch cosine is ±1 and has
  /// no gradient; the λ term remains.
  func mutualInformationLoss(
    images: Tensor, attacked: Tensor, labels: Tensor, natural: Tensor, adversarial: Tensor
  ) -> DefenseLoss {
    let selected = Selection(
      natural: natural, adversarial: adversarial, labels: labels, rule: settings.selection
    ).flipped
    let share = Tensor.scalar(Double(selected.count) / Double(images.size(0)))
    guard selected.count > 0 else {
      return DefenseLoss(
        total: .scalar(0, device: images.device), terms: [("selected", share)])
    }
    let (ofImages, ofNoise) = withoutGrad {
      (
        estimators.natural.features(of: images),
        estimators.adversarial.features(of: attacked - images)
      )
    }
    let (n, a) = (estimators.natural, estimators.adversarial)
    return Self.loss(
      naturalOfNatural: n.losses(ofImages, logits: natural, anchors: selected),
      naturalOfAdversarial: n.losses(ofImages, logits: adversarial, anchors: selected),
      adversarialOfNatural: a.losses(ofNoise, logits: natural, anchors: selected),
      adversarialOfAdversarial: a.losses(ofNoise, logits: adversarial, anchors: selected),
      settings: settings, selectedShare: share)
  }

  /// Equation 8 on losses −I by position, each (selected samples, positions).
  static func loss(
    naturalOfNatural: Tensor, naturalOfAdversarial: Tensor, adversarialOfNatural: Tensor,
    adversarialOfAdversarial: Tensor, settings: Settings, selectedShare: Tensor
  ) -> DefenseLoss {
    let cosineNatural = settings.cosine.loss(naturalOfNatural, naturalOfAdversarial)
    let cosineAdversarial = settings.cosine.loss(adversarialOfNatural, adversarialOfAdversarial)
    let values = naturalOfAdversarial.mean() - adversarialOfAdversarial.mean()
    return DefenseLoss(
      total: cosineNatural + cosineAdversarial + settings.lambda * values,
      terms: [
        ("cos_n", cosineNatural), ("cos_a", cosineAdversarial),
        ("mi_n", -naturalOfAdversarial.mean()), ("mi_a", -adversarialOfAdversarial.mean()),
        ("selected", selectedShare),
      ])
  }
}
