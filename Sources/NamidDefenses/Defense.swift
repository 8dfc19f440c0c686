import NamidAttacks
import NamidNetworks
import NamidTorch

/// A loss to train on, with its parts by name.
public struct DefenseLoss {
  /// The loss that is minimised, of rank 0.
  public var total: Tensor
  /// Named parts and counts for the log, of rank 0, without gradients.
  public var terms: [(name: String, value: Tensor)]

  /// A loss and its parts.
  public init(total: Tensor, terms: [(name: String, value: Tensor)] = []) {
    self.total = total
    self.terms = terms.map { ($0.name, $0.value.detach()) }
  }
}

/// A way to train a robust network.
///
/// A step is made of two parts, so that something can come between them (weights are perturbed there): first images
/// are crafted, then a loss is computed on them.
public protocol Defense {
  /// The name in files and tables.
  var name: String { get }
  /// Networks of the defense's own that learn along with the classifier; none unless said otherwise.
  var companions: [Companion] { get }
  /// The images to train on beside the natural ones; nil where the loss reads natural images alone.
  ///
  /// - Parameters:
  ///   - network: The network, in training mode; the defense leaves mode, weights and statistics as they were.
  ///   - batch: Natural images and labels, on the network's device.
  ///   - streams: One random stream per sample, keyed by epoch and sample.
  ///   - epoch: Counted from 0.
  /// - Returns: Attacked images, without a gradient history.
  func craft(
    on network: Network, batch: Batch, streams: RandomStreams, epoch: Int
  ) -> Tensor?
  /// The loss of a batch, in training mode and with gradients to the network's weights.
  ///
  /// - Parameters:
  ///   - network: The network, in training mode; the defense leaves the mode as it was.
  ///   - batch: Natural images and labels, on the network's device.
  ///   - attacked: The images that `craft(on:batch:streams:epoch:)` made of this batch in this epoch.
  ///   - epoch: Counted from 0.
  /// - Returns: The loss and its parts.
  func loss(of network: Network, batch: Batch, attacked: Tensor?, epoch: Int) -> DefenseLoss
  /// A number that is the same for epochs in which a step is made of the same operators, such as those of a warm-up.
  func stage(epoch: Int) -> Int
  /// True for a loss that asks the device for a number at each step: such a step cannot be recorded as a whole.
  var asksDevice: Bool { get }
}

extension Defense {
  /// None.
  public var companions: [Companion] { [] }

  /// False: most losses ask nothing.
  public var asksDevice: Bool { false }

  /// All epochs are alike.
  public func stage(epoch: Int) -> Int { 0 }

  /// Both parts of a step: crafts images and computes the loss on them.
  public func loss(
    of network: Network, batch: Batch, streams: RandomStreams, epoch: Int
  ) -> DefenseLoss {
    let attacked = craft(on: network, batch: batch, streams: streams, epoch: epoch)
    return loss(of: network, batch: batch, attacked: attacked, epoch: epoch)
  }
}

/// A network that a defense trains along with the classifier, on the same loss, with Adam.
public struct Companion {
  /// The name of its files in a checkpoint.
  public let name: String
  /// Its weights and statistics.
  public let store: ParameterStore
  /// Adam's learning rate, the same throughout.
  public let learningRate: Double

  /// A network to train along.
  public init(name: String, store: ParameterStore, learningRate: Double) {
    self.name = name
    self.store = store
    self.learningRate = learningRate
  }
}

/// The cross-entropy of labels that a defense trains on.
public struct LabelLoss: Hashable, Sendable {
  /// The share of the target that is spread evenly over all classes; 0 for plain labels.
  public var smoothing: Double

  /// Cross-entropy, with smoothed labels where `smoothing` is positive.
  public init(smoothing: Double = 0) {
    self.smoothing = smoothing
  }

  /// The mean loss of logits (N, classes) and labels (N).
  public func callAsFunction(_ logits: Tensor, _ labels: Tensor) -> Tensor {
    logits.crossEntropy(labels, labelSmoothing: smoothing)
  }
}
