import NamidTorch

/// Random crops with zero padding and random horizontal flips, on whole batches.
public struct Augmentation: Codable, Hashable, Sendable {
  /// Zeros added on each side before a crop of the original size is cut; 0 for no crop.
  public var cropPadding: Int
  /// True to mirror half of the images.
  public var flip: Bool

  /// An augmentation; 4 pixels and a flip are usual for CIFAR-10.
  public init(cropPadding: Int = 4, flip: Bool = true) {
    self.cropPadding = cropPadding
    self.flip = flip
  }

  /// The augmentation that changes nothing.
  public static let none = Augmentation(cropPadding: 0, flip: false)

  var isIdentity: Bool { cropPadding == 0 && !flip }

  /// Draws the change of an image of some shape from its own stream: the byte of the padded image at which its crop
  /// begins, and whether it is mirrored.
  func change(
    of shape: (height: Int, width: Int, channels: Int), _ stream: RandomStream
  ) -> (offset: Int, isMirrored: Bool) {
    var stream = stream
    let places = 2 * cropPadding + 1
    let (top, left) = (stream.integer(below: places), stream.integer(below: places))
    return (
      offset: (top * (shape.width + 2 * cropPadding) + left) * shape.channels,
      isMirrored: flip && stream.integer(below: 2) == 1
    )
  }

  /// Crops and flips a batch.
  ///
  /// A row of a crop is a run of bytes in the padded batch, so that one selection among all such runs copies whole
  /// rows.
  ///
  /// - Parameters:
  ///   - images: Bytes (N, H, W, C).
  ///   - offsets: The beginning of each crop in its padded image, int64 (N), on the images' device.
  ///   - mirrored: 1 for images to be mirrored, else 0, int64 (N).
  /// - Returns: Bytes (N, H, W, C).
  func applied(to images: Tensor, offsets: Tensor, mirrored: Tensor) -> Tensor {
    if isIdentity { return images }
    let shape = images.shape
    let (count, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    let p = cropPadding
    let rowBytes = (width + 2 * p) * channels
    let imageStarts = Tensor.arange(count, device: images.device) * ((height + 2 * p) * rowBytes)
    let rowStarts = Tensor.arange(height, device: images.device) * rowBytes
    let starts = (imageStarts + offsets).unsqueeze(1) + rowStarts
    let rows = images.pad([0, 0, p, p, p, p]).flatten(0).unfold(0, size: width * channels, step: 1)
    let crops = rows.indexSelect(starts.flatten()).view(shape)
    if !flip { return crops }
    return crops.flip([2]).where(mirrored.view([count, 1, 1, 1]) .!= 0, else: crops)
  }
}
