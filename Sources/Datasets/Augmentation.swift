import Torch

/// Random crops with zero padding and random horizontal flips, on whole batches.
public struct Augmentation: Codable, Hashable, Sendable {
  /// Zeros added on each side before a crop of the original size is cut; 0 for no crop.
  public var cropPadding: Int
  /// Whether half of the images are mirrored.
  public var flip: Bool

  /// An augmentation; 4 pixels and a flip are usual for CIFAR-10.
  public init(cropPadding: Int = 4, flip: Bool = true) {
    self.cropPadding = cropPadding
    self.flip = flip
  }

  /// No change.
  public static let none = Augmentation(cropPadding: 0, flip: false)

  var isIdentity: Bool { cropPadding == 0 && !flip }

  /// Crops and flips a batch (N, H, W, C) with one gather; each sample draws from its own stream.
  func applied(to images: Tensor, _ streams: [RandomStream]) -> Tensor {
    let shape = images.shape
    let (count, height, width) = (shape[0], shape[1], shape[2])
    precondition(streams.count == count, "\(streams.count) streams for \(count) images")
    var rows = [Int](repeating: 0, count: count * height)
    var columns = [Int](repeating: 0, count: count * width)
    for (i, stream) in streams.enumerated() {
      var stream = stream
      let top = stream.integer(below: 2 * cropPadding + 1)
      let left = stream.integer(below: 2 * cropPadding + 1)
      let mirrored = flip && stream.integer(below: 2) == 1
      for y in 0..<height { rows[i * height + y] = top + y }
      for x in 0..<width { columns[i * width + x] = left + (mirrored ? width - 1 - x : x) }
    }
    let p = cropPadding
    let device = images.device
    return images.pad([0, 0, p, p, p, p]).index([
      Tensor(Array(0..<count), shape: [count, 1, 1]).to(device),
      Tensor(rows, shape: [count, height, 1]).to(device),
      Tensor(columns, shape: [count, 1, width]).to(device),
    ])
  }
}
