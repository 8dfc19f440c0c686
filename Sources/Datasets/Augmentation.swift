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

  /// Crops and flips a batch (N, H, W, C); each sample draws from its own stream.
  ///
  /// A row of a crop is a run of bytes in the padded batch, so that one selection among all such runs copies whole rows.
  func applied(to images: Tensor, _ streams: [RandomStream]) -> Tensor {
    let shape = images.shape
    let (count, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    precondition(streams.count == count, "\(streams.count) streams for \(count) images")
    let p = cropPadding
    var starts = [Int](repeating: 0, count: count * height)
    var isMirrored = [Bool](repeating: false, count: count)
    for (i, stream) in streams.enumerated() {
      var stream = stream
      let top = stream.integer(below: 2 * p + 1)
      let left = stream.integer(below: 2 * p + 1)
      isMirrored[i] = flip && stream.integer(below: 2) == 1
      for y in 0..<height {
        let row = i * (height + 2 * p) + top + y
        starts[i * height + y] = (row * (width + 2 * p) + left) * channels
      }
    }
    let device = images.device
    let rows = images.pad([0, 0, p, p, p, p]).flatten(0).unfold(0, size: width * channels, step: 1)
    let crops = rows.indexSelect(Tensor(starts, shape: [count * height]).to(device)).view(shape)
    if !flip { return crops }
    let mask = Tensor(isMirrored.map { $0 ? UInt8(1) : 0 }, shape: [count, 1, 1, 1]).to(device)
    return crops.flip([2]).where(mask .!= 0, else: crops)
  }
}
