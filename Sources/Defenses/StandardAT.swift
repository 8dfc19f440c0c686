import Attacks
import Datasets
import Models
import Torch

/// Standard adversarial training (Madry et al., ICLR 2018).
public struct StandardAT: Defense {
  /// `standard`.
  public let name = "standard"
  /// Crafts the images to train on.
  public var attack: PGD

  /// Adversarial training with an attack.
  public init(attack: PGD) {
    self.attack = attack
  }

  /// CE(h(x̃), y).
  public func loss(
    of network: Network, batch: Batch, streams: [RandomStream], epoch: Int
  ) -> DefenseLoss {
    let attacked = attack.craft(
      on: network, images: batch.images, labels: batch.labels, streams: streams)
    let loss = network.logits(attacked).crossEntropy(batch.labels)
    return DefenseLoss(total: loss, terms: [("ce_adv", loss)])
  }
}
