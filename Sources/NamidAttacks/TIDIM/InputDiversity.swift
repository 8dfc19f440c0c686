import NamidTorch

/// Images that a network sees shrunk and moved at random before a gradient is taken (Xie et al., CVPR 2019).
///
/// An image is resized bilinearly so that its longer side is a random number of pixels from `low` up to, not
/// including, `high`; it is put at a random place in a black frame of size `high`, and the frame is resized to the
/// image's own size. Both bounds are in shares of the longer side and rounded to pixels. Where they are the same
/// number of pixels there is no size to choose from, and images stay as they are.
public struct InputDiversity: Hashable, Sendable {
  /// How likely an image is changed at a step.
  public var probability: Double
  /// The smallest size.
  public var low: Double
  /// The size of the frame.
  public var high: Double

  /// Random changes; by default to 28 ..< 32 of 32 pixels for every other image.
  public init(probability: Double = 0.5, low: Double = 0.875, high: Double = 1) {
    precondition(
      (0...1).contains(probability) && low > 0 && low <= high,
      "input diversity with probability \(probability) and sizes \(low) to \(high)")
    self.probability = probability
    self.low = low
    self.high = high
  }

  /// No change.
  public static let off = InputDiversity(probability: 0)

  /// Where a pixel row or column of an image goes: resized to `size` of `frame` pixels, beginning at `offset`.
  struct Axis: Hashable {
    var length: Int
    var size: Int
    var offset: Int
    var frame: Int
  }

  /// The change of one image.
  struct Placement: Hashable {
    var vertical: Axis
    var horizontal: Axis
  }

  /// Draws a change for an image of a size, or nil for none.
  func placement(height: Int, width: Int, stream: RandomStream) -> Placement? {
    var stream = stream
    let longer = max(height, width)
    func pixels(_ share: Double) -> Int { max(1, Int((share * Double(longer)).rounded())) }
    let (low, high) = (pixels(low), pixels(high))
    guard low < high, Double(stream.uniform()) < probability else { return nil }
    let size = low + stream.integer(below: high - low)
    func axis(_ length: Int) -> Axis {
      func scaled(_ size: Int) -> Int {
        max(1, Int((Double(size * length) / Double(longer)).rounded()))
      }
      let frame = scaled(high)
      let offset = stream.integer(below: frame - scaled(size) + 1)
      return Axis(length: length, size: scaled(size), offset: offset, frame: frame)
    }
    let vertical = axis(height)
    return Placement(vertical: vertical, horizontal: axis(width))
  }
}
