import NamidAttacks
import NamidNetworks
import NamidTorch

/// Adversarial training whose loss is a function of logits: what further terms can be added to.
///
/// Standard adversarial training, TRADES and MART are of this kind; whatever is can take the place of L_adv in
/// NAMID's Equation 9.
public protocol AdversarialObjective: Defense {
  /// Crafts the images to train on.
  var attack: TrainingAttack { get }
  /// The cross-entropy of labels within it; plain unless said otherwise.
  var labelLoss: LabelLoss { get }
  /// True if the loss reads the logits of natural images; no pass is made for them otherwise.
  var readsNatural: Bool { get }
  /// The weights of the natural and then of the adversarial batch in the running statistics; nil is usual.
  var momenta: (natural: Double?, adversarial: Double?) { get }
  /// The loss that the attack maximises; nil for the cross-entropy of the labels.
  ///
  /// - Parameters:
  ///   - classifier: The network as the attack sees it.
  ///   - images: The natural images.
  /// - Returns: A function from logits (N, classes) to one value per sample.
  func attackLoss(on classifier: any Classifier, images: Tensor) -> ((Tensor) -> Tensor)?
  /// The loss on logits.
  ///
  /// - Parameters:
  ///   - natural: Logits of natural images; nil unless `readsNatural`.
  ///   - adversarial: Logits of attacked images.
  ///   - labels: Classes (N).
  /// - Returns: The loss and its parts.
  func loss(natural: Tensor?, adversarial: Tensor, labels: Tensor) -> DefenseLoss
}

extension AdversarialObjective {
  /// Plain labels.
  public var labelLoss: LabelLoss { LabelLoss() }

  /// One pass of each kind of images, with the usual weight.
  public var momenta: (natural: Double?, adversarial: Double?) { (nil, nil) }

  /// Cross-entropy of the labels.
  public func attackLoss(
    on classifier: any Classifier, images: Tensor
  ) -> ((Tensor) -> Tensor)? { nil }

  /// Images on which `attackLoss` is large.
  public func craft(
    on network: Network, batch: Batch, streams: RandomStreams, epoch: Int
  ) -> Tensor? {
    attack.craft(on: network, batch: batch, streams: streams) { classifier in
      attackLoss(on: classifier, images: batch.images)
        ?? { AttackLoss.crossEntropy.values($0, batch.labels) }
    }
  }

  /// The loss on a natural pass (where it is read) and then an adversarial one.
  public func loss(
    of network: Network, batch: Batch, attacked: Tensor?, epoch: Int
  ) -> DefenseLoss {
    let natural =
      readsNatural ? network.logits(batch.images, statisticsMomentum: momenta.natural) : nil
    let adversarial = network.logits(
      attacked ?? batch.images, statisticsMomentum: momenta.adversarial)
    return loss(natural: natural, adversarial: adversarial, labels: batch.labels)
  }
}

/// The Kullback–Leibler divergence of each sample, KL(p‖q) for p and q given by logits (N, classes).
func divergence(from p: Tensor, to q: Tensor) -> Tensor {
  let logP = p.logSoftmax(1)
  return (logP.exp() * (logP - q.logSoftmax(1))).sum([1])
}
