import Torch

/// Images and labels that a network sees at once.
public struct Batch {
  /// Float32 (N, C, H, W) in [0, 1], channels last in memory.
  public let images: Tensor
  /// Classes (N), int64.
  public let labels: Tensor
  /// The samples' indices in their data set.
  public let indices: [Int]

  /// A batch of tensors that belong together.
  public init(images: Tensor, labels: Tensor, indices: [Int]) {
    self.images = images
    self.labels = labels
    self.indices = indices
  }
}

/// A whole data set in memory as bytes, from which batches are cut with a few tensor operations.
public final class ImageTensors {
  /// How many images there are.
  public let count: Int
  /// Each image's index in the split as it lies on disk.
  public let sampleIndices: [Int]
  /// Where they live.
  public let device: Device
  private let images: Tensor
  private let labels: Tensor

  /// The data set on a device.
  public init(_ set: ImageSet, device: Device = .cpu) {
    count = set.count
    sampleIndices = set.indices
    self.device = device
    images = Tensor(
      set.pixels, shape: [set.count, set.height, set.width, set.channels]
    ).to(device)
    labels = Tensor(set.labels, shape: [set.count]).to(device)
  }

  /// The samples of `indices`, augmented if wanted.
  ///
  /// - Parameters:
  ///   - indices: Which samples, in this order.
  ///   - augmentation: Random crops and flips.
  ///   - streams: One random stream per sample for the augmentation; not read without one.
  /// - Returns: Images as float32 in [0, 1] and labels.
  public func batch(
    _ indices: [Int], augmentation: Augmentation = .none,
    streams: @autoclosure () -> [RandomStream] = []
  ) -> Batch {
    withoutGrad {
      let positions = Tensor(indices, shape: [indices.count]).to(device)
      let selected = images.indexSelect(positions)
      let bytes =
        augmentation.isIdentity ? selected : augmentation.applied(to: selected, streams())
      return Batch(
        images: bytes.permute([0, 3, 1, 2]).to(.float32) / 255.0,
        labels: labels.indexSelect(positions), indices: indices)
    }
  }

  /// The indices of successive batches of an epoch.
  ///
  /// - Parameters:
  ///   - size: Samples per batch.
  ///   - order: A random order, or nil for the stored one.
  ///   - dropLast: Whether a smaller last batch is left out.
  /// - Returns: Every index once, but for what is left out.
  public func batches(of size: Int, order: RandomStream? = nil, dropLast: Bool = false) -> [[Int]] {
    precondition(size > 0, "batches of \(size) samples")
    let all = order?.permutation(count) ?? Array(0..<count)
    let starts = stride(from: 0, to: count, by: size)
    return starts.map { Array(all[$0..<min($0 + size, count)]) }
      .filter { !dropLast || $0.count == size }
  }
}
