import NamidTorch

/// The changes of images at a step, which are linear: a matrix on either side of each image.
struct DiverseView {
  /// A truth value per image: changed, or left as it is.
  let isChanged: [Bool]
  /// `isChanged` as a tensor (N); nil when no image is changed.
  let changed: Tensor?
  /// (N, 1, H, H) and (N, 1, W, W); nil when no image is changed.
  fileprivate let matrices: (vertical: Tensor, horizontal: Tensor)?

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
}

/// The changes of all images at all steps, sent to the device before the first.
struct DiverseViews {
  /// Per step and image.
  private let isChanged: [[Bool]]
  /// The matrices (kinds, H, H) and (kinds, W, W) that occur, the first of which change nothing.
  private let kinds: (vertical: Tensor, horizontal: Tensor)
  /// The index of each image's matrices among them, (steps, 2, N), int64.
  private let choices: Tensor

  /// Views of images of H × W pixels, with a placement per step and image; nil for no change.
  init(
    _ placements: [[InputDiversity.Placement?]], height: Int, width: Int, device: Device
  ) {
    isChanged = placements.map { $0.map { $0 != nil } }
    var vertical = Kinds(length: height)
    var horizontal = Kinds(length: width)
    let choices = placements.flatMap { images in
      images.map { vertical.place(of: $0?.vertical) }
        + images.map { horizontal.place(of: $0?.horizontal) }
    }
    self.choices = Tensor(choices, shape: [placements.count, 2, placements.first?.count ?? 0])
      .to(device)
    kinds = (
      Tensor.stack(vertical.matrices).to(device), Tensor.stack(horizontal.matrices).to(device)
    )
  }

  /// The view of some images at a step.
  func view(of rows: Rows, at step: Int) -> DiverseView {
    let isChanged = rows.samples.map { self.isChanged[step][$0] }
    guard isChanged.contains(true) else {
      return DiverseView(isChanged: isChanged, changed: nil, matrices: nil)
    }
    let own = choices.select(0, step).indexSelect(rows.places, dim: 1)
    let (vertical, horizontal) = (own.select(0, 0), own.select(0, 1))
    return DiverseView(
      isChanged: isChanged, changed: vertical .> 0,
      matrices: (
        kinds.vertical.indexSelect(vertical).unsqueeze(1),
        kinds.horizontal.indexSelect(horizontal).unsqueeze(1)
      ))
  }
}

/// The matrices that do to a column of pixels what an axis says, each made once.
private struct Kinds {
  private(set) var matrices: [Tensor]
  private var places: [InputDiversity.Axis: Int] = [:]

  /// Begins with the matrix that changes nothing.
  init(length: Int) { matrices = [Self.identity(length)] }

  /// The place of an axis' matrix.
  mutating func place(of axis: InputDiversity.Axis?) -> Int {
    guard let axis else { return 0 }
    if let place = places[axis] { return place }
    places[axis] = matrices.count
    matrices.append(Self.matrix(axis))
    return matrices.count - 1
  }

  private static func identity(_ length: Int) -> Tensor {
    let places = Tensor.arange(length)
    return (places.unsqueeze(1) .== places).to(.float32)
  }

  private static func matrix(_ axis: InputDiversity.Axis) -> Tensor {
    let column = identity(axis.length).view([1, 1, axis.length, axis.length])
    let resized = column.upsampleBilinear2d([axis.size, axis.length])
    let framed = resized.pad([0, 0, axis.offset, axis.frame - axis.size - axis.offset])
    let back =
      axis.frame == axis.length ? framed : framed.upsampleBilinear2d([axis.length, axis.length])
    return back.view([axis.length, axis.length])
  }
}

/// Images that a network sees shrunk and moved at random before a gradient is taken (Xie et al., CVPR 2019).
///
/// An image is resized bilinearly so that its longer side is a random number of pixels from `low` up to, not
/// including, `high`; it is put at a random place in a black frame of size `high`, and the frame is resized to the
/// image's own size. Both bounds are in shares of the longer side and rounded to pixels. Where they are the same
/// number of pixels there is no size to choose from, and images stay as they are.
public struct InputDiversity: Hashable, Sendable {
  /// The probability that an image is changed at a step.
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

  /// Diversity that changes no image.
  public static let off = InputDiversity(probability: 0)

  /// The place of a pixel row or column of an image: resized to `size` of `frame` pixels, beginning at `offset`.
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
