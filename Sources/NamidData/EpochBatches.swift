import NamidNetworks
import NamidTorch

/// The batches of one epoch of training: all that is drawn for its samples lies on the device from the beginning.
///
/// Order, crops and flips are drawn on the host (0.8 MB for 50,000 images) and uploaded at once, so that no batch has
/// an upload of its own that would wait for the device.
public struct EpochBatches {
  private let images: ImageTensors
  private let order: [Int]
  private let size: Int
  private let augmentation: Augmentation
  /// Positions, crop offsets and flips of the samples in order, int64 (3, samples).
  private let draws: Tensor
  /// The number of batches.
  public let count: Int

  /// The batches of an epoch.
  ///
  /// - Parameters:
  ///   - images: The training images.
  ///   - size: Samples per batch.
  ///   - order: The stream that draws the order of the samples.
  ///   - dropLast: True to leave out a smaller last batch.
  ///   - augmentation: Random crops and flips.
  ///   - stream: The stream that draws these, with a stream for each sample within it.
  public init(
    of images: ImageTensors, size: Int, order: RandomStream, dropLast: Bool,
    augmentation: Augmentation, stream: RandomStream
  ) {
    self.images = images
    self.size = size
    self.augmentation = augmentation
    count = images.batchCount(of: size, dropLast: dropLast)
    self.order = Array(order.permutation(images.count).prefix(count * size))
    let changes = self.order.map {
      augmentation.change(of: images.shape, stream.keyed(images.sampleIndices[$0]))
    }
    draws = Tensor(
      self.order + changes.map(\.offset) + changes.map { $0.isMirrored ? 1 : 0 },
      shape: [3, self.order.count]
    ).to(images.device)
  }

  /// The places of a batch's samples in the epoch's order.
  public func range(_ batch: Int) -> Range<Int> {
    batch * size..<min((batch + 1) * size, order.count)
  }

  /// One stream for every sample in the epoch's order: what is drawn for a sample depends on nothing but it.
  public func streams(_ stream: RandomStream) -> RandomStreams.Bank {
    RandomStreams.Bank(order.map { stream.keyed(images.sampleIndices[$0]) })
  }

  /// One batch, cut and augmented.
  public subscript(batch: Int) -> Batch {
    let range = range(batch)
    return withoutGrad {
      let own = draws.slice(range, dim: 1)
      return images.batch(
        Array(order[range]), at: own.select(0, 0)
      ) { augmentation.applied(to: $0, offsets: own.select(0, 1), mirrored: own.select(0, 2)) }
    }
  }
}
