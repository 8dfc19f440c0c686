import NamidAttacks
import NamidNetworks
import NamidTorch

/// The behaviour of batch normalisation while images are crafted for training.
public enum BatchNormMode: String, CaseIterable, Codable, Sendable {
  /// Running statistics, as in evaluation: the usual choice.
  case evaluation
  /// The statistics of the batch, as in training; running statistics stay as they are.
  case training
}

/// PGD as training uses it.
public struct TrainingAttack: Hashable, Sendable {
  /// The attack.
  public var pgd: PGD
  /// The behaviour of batch normalisation meanwhile.
  public var batchNorm: BatchNormMode

  /// An attack for training.
  public init(_ pgd: PGD, batchNorm: BatchNormMode = .evaluation) {
    self.pgd = pgd
    self.batchNorm = batchNorm
  }

  /// Attacked images of a batch: the last iterate of every sample.
  ///
  /// - Parameters:
  ///   - network: The network; its weights, gradients, statistics and mode stay as they were.
  ///   - batch: Natural images and labels.
  ///   - streams: One random stream per sample.
  ///   - loss: Given the network as the attack sees it, what to maximise: one value per sample from logits.
  ///     Cross-entropy of the labels when nil.
  /// - Returns: Attacked images.
  public func craft(
    on network: Network, batch: Batch, streams: RandomStreams,
    maximising loss: ((any Classifier) -> (Tensor) -> Tensor)? = nil
  ) -> Tensor {
    craft(on: seen(network), batch: batch, streams: streams, maximising: loss)
  }

  /// Attacked images on which a function of images and their logits is large.
  ///
  /// - Parameters:
  ///   - network: The network, which stays as it was.
  ///   - batch: Natural images and labels.
  ///   - streams: One random stream per sample.
  ///   - loss: One value per sample, from images and their logits; the gradient flows through the logits alone.
  /// - Returns: Attacked images.
  func craft(
    on network: Network, batch: Batch, streams: RandomStreams,
    maximisingOf loss: @escaping (_ images: Tensor, _ logits: Tensor) -> Tensor
  ) -> Tensor {
    let view = LastImagesView(of: seen(network))
    return craft(on: view, batch: batch, streams: streams) { _ in
      { logits in loss(view.images ?? batch.images, logits) }
    }
  }

  private func seen(_ network: Network) -> any Classifier {
    batchNorm == .evaluation ? network : BatchStatisticsView(of: network)
  }

  private func craft(
    on classifier: any Classifier, batch: Batch, streams: RandomStreams,
    maximising loss: ((any Classifier) -> (Tensor) -> Tensor)?
  ) -> Tensor {
    // One scope around both, so that what is folded for the first pass serves the attack, too.
    classifier.frozen {
      let values = withoutGrad { loss?(classifier) }
      return pgd.craft(
        on: classifier, images: batch.images, labels: batch.labels, streams: streams, loss: values)
    }
  }
}

/// A network that an attack sees in training mode, without a trace in the running statistics.
private final class BatchStatisticsView: ClassifierView {
  private let network: Network

  init(of network: Network) {
    self.network = network
  }

  var base: any Classifier { network }

  func logits(_ images: Tensor) -> Tensor { network.logits(images) }

  func frozen<Result>(_ body: () throws -> Result) rethrows -> Result {
    let (mode, momentum) = (network.isTraining, network.store.statisticsMomentum)
    network.isTraining = true
    network.store.statisticsMomentum = 0
    defer {
      network.isTraining = mode
      network.store.statisticsMomentum = momentum
    }
    return try body()
  }
}

/// A classifier that remembers which images it saw last.
private final class LastImagesView: ClassifierView {
  let base: any Classifier
  private(set) var images: Tensor?

  init(of base: any Classifier) {
    self.base = base
  }

  func logits(_ images: Tensor) -> Tensor {
    self.images = images.detach()
    return base.logits(images)
  }
}
