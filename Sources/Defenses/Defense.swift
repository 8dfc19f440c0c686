import Attacks
import Datasets
import Models
import Torch

/// A loss to train on, with its parts by name.
public struct DefenseLoss {
  /// What is minimised, of rank 0.
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
public protocol Defense {
  /// The name in files and tables.
  var name: String { get }
  /// The loss of a batch, in training mode and with gradients to the network's weights.
  ///
  /// - Parameters:
  ///   - network: In training mode; the defense leaves the mode as it was.
  ///   - batch: Natural images and labels, on the network's device.
  ///   - streams: One random stream per sample, keyed by epoch and sample.
  ///   - epoch: Counted from 0.
  /// - Returns: The loss and its parts.
  func loss(of network: Network, batch: Batch, streams: [RandomStream], epoch: Int) -> DefenseLoss
}
