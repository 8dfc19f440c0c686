import Datasets
import Models
import Torch

/// Ordinary training on unattacked images: no defense, the baseline to compare with.
public struct NaturalTraining: Defense {
  /// `natural`.
  public let name = "natural"

  /// Ordinary training.
  public init() {}

  /// CE(h(x), y).
  public func loss(
    of network: Network, batch: Batch, streams: [RandomStream], epoch: Int
  ) -> DefenseLoss {
    let loss = network.logits(batch.images).crossEntropy(batch.labels)
    return DefenseLoss(total: loss, terms: [("ce", loss)])
  }
}
