import Torch

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

/// The changes of the images of a batch, which are linear: a matrix on either side of each image.
struct DiverseView {
  private let placements: [InputDiversity.Placement?]
  /// (N, 1, H, H) and (N, 1, W, W); nil when no image is changed.
  private let matrices: (vertical: Tensor, horizontal: Tensor)?

  init(_ placements: [InputDiversity.Placement?], height: Int, width: Int, device: Device) {
    self.placements = placements
    if placements.allSatisfy({ $0 == nil }) {
      matrices = nil
      return
    }
    var known: [InputDiversity.Axis?: Tensor] = [:]
    func stacked(_ length: Int, _ axes: [InputDiversity.Axis?]) -> Tensor {
      known = [nil: Self.identity(length)]
      let list = axes.map { axis in
        if let matrix = known[axis] { return matrix }
        let matrix = axis.map(Self.matrix) ?? Self.identity(length)
        known[axis] = matrix
        return matrix
      }
      return Tensor.stack(list).unsqueeze(1).to(device)
    }
    matrices = (
      stacked(height, placements.map { $0?.vertical }),
      stacked(width, placements.map { $0?.horizontal })
    )
  }

  /// Whether each image is changed.
  var isChanged: [Bool] { placements.map { $0 != nil } }

  /// The changed images.
  func images(_ images: Tensor) -> Tensor {
    guard let matrices else { return images }
    return matrices.vertical.matmul(images).matmul(matrices.horizontal.transpose(2, 3))
  }

  /// The gradient with respect to images from that with respect to the changed ones.
  func pulledBack(_ gradient: Tensor) -> Tensor {
    guard let matrices else { return gradient }
    return matrices.vertical.transpose(2, 3).matmul(gradient).matmul(matrices.horizontal)
  }

  private static func identity(_ length: Int) -> Tensor {
    let places = Tensor.arange(length)
    return (places.unsqueeze(1) .== places).to(.float32)
  }

  /// The matrix (length, length) that does to a column of pixels what an axis says.
  private static func matrix(_ axis: InputDiversity.Axis) -> Tensor {
    let column = identity(axis.length).view([1, 1, axis.length, axis.length])
    let resized = column.upsampleBilinear2d([axis.size, axis.length])
    let framed = resized.pad([0, 0, axis.offset, axis.frame - axis.size - axis.offset])
    let back =
      axis.frame == axis.length ? framed : framed.upsampleBilinear2d([axis.length, axis.length])
    return back.view([axis.length, axis.length])
  }
}
