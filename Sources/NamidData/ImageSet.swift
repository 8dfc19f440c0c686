import NamidFiles

/// A whole set of labelled images in memory.
///
/// Pixels are bytes, rows from top to bottom, channels last (N, H, W, C). Images are as they come
/// from disk: scaling to [0, 1], augmentation and order belong to whoever makes batches of them.
public struct ImageSet: Sendable {
  /// The name that `Datasets.load` knows, such as `fashion-mnist`.
  public let name: String
  /// The name for people and reports, such as `Fashion-MNIST`.
  public let title: String
  /// The part of the data.
  public let split: Split
  /// Rows of every image.
  public let height: Int
  /// Columns of every image.
  public let width: Int
  /// Values per pixel: 1 for gray, 3 for red, green, blue.
  public let channels: Int
  /// One name per label, in the order of the labels.
  public let classNames: [String]
  /// `count * height * width * channels` values, row-major in the order N, H, W, C.
  public let pixels: [UInt8]
  /// One label per image, from 0 to `classNames.count - 1`.
  public let labels: [Int]
  /// Each image's index in the split as it lies on disk; what is random about an image is keyed by it.
  public let indices: [Int]
  /// The layout of the files on disk: `idx.gz`, `idx`, `binary`, `python` or `image folders`.
  public let layout: String
  /// The number of files beside the images that the reader passed over.
  public let ignoredFiles: Int

  /// Makes a set from values in memory.
  ///
  /// - Parameters:
  ///   - name: Name in the catalog.
  ///   - title: Name for people.
  ///   - split: The part of the data.
  ///   - height: Rows of every image.
  ///   - width: Columns of every image.
  ///   - channels: Values per pixel.
  ///   - classNames: One name per label.
  ///   - pixels: Values in the order N, H, W, C.
  ///   - labels: One label per image.
  ///   - indices: Each image's index in the whole split; counted from 0 when nil.
  ///   - layout: The layout of the files on disk.
  ///   - ignoredFiles: Files that the reader passed over.
  public init(
    name: String, title: String, split: Split, height: Int, width: Int, channels: Int,
    classNames: [String], pixels: [UInt8], labels: [Int], indices: [Int]? = nil, layout: String,
    ignoredFiles: Int = 0
  ) {
    precondition(
      pixels.count == labels.count * height * width * channels,
      """
      \(name): \(labels.count) images of \(height)×\(width)×\(channels) have \
      \(labels.count * height * width * channels) values, not \(pixels.count)
      """)
    precondition(
      labels.allSatisfy { classNames.indices.contains($0) },
      "\(name): labels must lie in 0..<\(classNames.count)")
    self.name = name
    self.title = title
    self.split = split
    self.height = height
    self.width = width
    self.channels = channels
    self.classNames = classNames
    self.pixels = pixels
    self.labels = labels
    self.indices = indices ?? Array(labels.indices)
    self.layout = layout
    self.ignoredFiles = ignoredFiles
  }

  /// The number of images.
  public var count: Int { labels.count }

  /// The bytes of one image.
  public var bytesPerImage: Int { height * width * channels }

  /// The number of images of each class, in the order of `classNames`.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for label in labels { counts[label] += 1 }
    return counts
  }

  /// The pixels of one image, in the order H, W, C.
  public func image(at index: Int) -> ArraySlice<UInt8> {
    pixels[(index * bytesPerImage)..<((index + 1) * bytesPerImage)]
  }

  /// A hash of shape, labels and pixels in 16 hexadecimal digits.
  ///
  /// It is the same for the same images in whichever layout they came, and goes into the hash of
  /// what a figure was measured on. It reads every pixel: keep it rather than ask twice.
  public var fingerprint: String {
    var hash = Fingerprint()
    for value in [count, height, width, channels] { hash.add(UInt64(value)) }
    for label in labels { hash.add(UInt64(label)) }
    pixels.withUnsafeBytes { hash.add($0) }
    return hash.hex
  }
}

extension ImageSet: CustomStringConvertible {
  /// Title, split, count and shape in one line.
  public var description: String {
    "\(title), \(split.rawValue): \(count) images of \(height)×\(width)×\(channels), "
      + "\(classNames.count) classes (\(layout))"
  }
}

/// A part of a data set.
///
/// Sets come from disk as `train` or `test`; `validation` is what
/// `ImageSet.splitting(validation:seed:)` takes out of the training images, or a folder of its own.
public enum Split: String, Sendable, Codable, CaseIterable {
  /// Images that a model learns from.
  case train
  /// Images that choose between checkpoints and settings.
  case validation
  /// Images that a published figure is measured on, and nothing else.
  case test
}

/// A fast 64-bit hash that tells data sets apart; not a defence against forgery.
///
/// Eight bytes per step, each multiplied by an odd constant and folded, so that every input bit
/// reaches the high half. 150 MB of pixels take about 50 ms.
struct Fingerprint {
  private var state: UInt64 = 0x6E61_6D69_6431_3032
  private var length: UInt64 = 0

  mutating func add(_ word: UInt64) {
    state = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
    state ^= state >> 32
    length &+= 8
  }

  /// Adds bytes; a last piece of fewer than eight is filled up with zeros.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    let whole = bytes.count & ~7
    for offset in stride(from: 0, to: whole, by: 8) {
      add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
    }
    var last: UInt64 = 0
    for offset in whole..<bytes.count { last |= UInt64(bytes[offset]) << (8 * (offset - whole)) }
    add(last)
    length &+= UInt64(bytes.count - whole)
  }

  /// Sixteen hexadecimal digits of all that was added.
  var hex: String { hexDigits(value) }

  /// The hash of all that was added.
  var value: UInt64 {
    var final = self
    final.add(length)
    final.add(0)
    return final.state
  }
}
