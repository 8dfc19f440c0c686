import NamidNetworks
import NamidTorch

/// Ordinary training on unattacked images: no defense, the baseline to compare with.
public struct NaturalTraining: Defense {
  /// `natural`.
  public let name = "natural"
  /// The cross-entropy.
  public var labelLoss: LabelLoss

  /// Ordinary training.
  public init(labelLoss: LabelLoss = LabelLoss()) {
    self.labelLoss = labelLoss
  }

  /// None.
  public func craft(
    on network: Network, batch: Batch, streams: RandomStreams, epoch: Int
  ) -> Tensor? { nil }

  /// CE(h(x), y).
  public func loss(
    of network: Network, batch: Batch, attacked: Tensor?, epoch: Int
  ) -> DefenseLoss {
    let loss = labelLoss(network.logits(batch.images), batch.labels)
    return DefenseLoss(total: loss, terms: [("ce", loss)])
  }
}

extension NaturalTraining {
  static let entry = DefenseEntry(
    name: "natural", summary: "ordinary training: no defense", source: "",
    passes: TrainingPasses(gradientsPerStep: 0)
  ) { NaturalTraining(labelLoss: $0.labelLoss) }
}
