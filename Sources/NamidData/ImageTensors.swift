import NamidNetworks
import NamidTorch

/// A whole data set in memory as bytes, from which batches are cut with a few tensor operations.
public final class ImageTensors {
  /// The number of images.
  public let count: Int
  /// Each image's index in the split as it lies on disk.
  public let sampleIndices: [Int]
  /// The device of the images.
  public let device: Device
  /// The shape of an image: height, width, channels.
  let shape: (height: Int, width: Int, channels: Int)
  private let images: Tensor
  private let labels: Tensor

  /// The data set on a device.
  public init(_ set: ImageSet, device: Device = .cpu) {
    count = set.count
    sampleIndices = set.indices
    self.device = device
    shape = (set.height, set.width, set.channels)
    images = Tensor(
      set.pixels, shape: [set.count, set.height, set.width, set.channels]
    ).to(device)
    labels = Tensor(set.labels, shape: [set.count]).to(device)
  }

  /// The samples of `indices`, in this order, as they are.
  public func batch(_ indices: [Int]) -> Batch {
    withoutGrad { batch(indices, at: Tensor(indices, shape: [indices.count]).to(device)) { $0 } }
  }

  /// Some samples.
  ///
  /// - Parameters:
  ///   - indices: The samples, in this order.
  ///   - positions: Their positions on the device, int64 (samples).
  ///   - change: Changes their bytes (samples, H, W, C).
  /// - Returns: Images as float32 in [0, 1] and labels.
  func batch(_ indices: [Int], at positions: Tensor, change: (Tensor) -> Tensor) -> Batch {
    Batch(
      images: change(images.indexSelect(positions)).permute([0, 3, 1, 2]).to(.float32) / 255.0,
      labels: labels.indexSelect(positions), indices: indices)
  }

  /// The indices of successive batches in the stored order.
  ///
  /// - Parameters:
  ///   - size: Samples per batch.
  ///   - dropLast: True to leave out a smaller last batch.
  /// - Returns: Every index once, but for what is left out.
  public func batches(of size: Int, dropLast: Bool = false) -> [[Int]] {
    (0..<batchCount(of: size, dropLast: dropLast)).map {
      Array($0 * size..<min(($0 + 1) * size, count))
    }
  }

  /// The number of batches; with `dropLast` a smaller last one does not count.
  public func batchCount(of size: Int, dropLast: Bool = false) -> Int {
    precondition(size > 0, "batches of \(size) samples")
    return dropLast ? count / size : (count + size - 1) / size
  }
}
