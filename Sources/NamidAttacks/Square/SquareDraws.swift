import NamidTorch

/// The random part of one proposal of Square, for each row.
struct SquareDraw {
  /// The windows that change.
  let window: SquareWindows
  /// A sign per channel, (rows, C, 1).
  let signs: Tensor
  /// In L2 and L1: the windows whose mass moves, and whether the pattern is turned (rows, 1, 1).
  let move: (source: SquareWindows, turned: Tensor)?
}

/// The random numbers of several proposals, drawn on the host and sent to the device in one go.
struct SquareDraws {
  /// (queries, rows, numbers), float32: the upper left corner of a window; in L2 and L1 that of another and a coin;
  /// a sign per channel.
  private var numbers: Tensor
  private let first: Int
  private let sides: [Int]
  private let height: Int
  private let width: Int
  private let isLinf: Bool

  /// Draws the numbers of some queries, `sides` being the windows' side in each; every row has its own stream.
  init(
    _ streams: [RandomStream], from first: Int, sides: [Int], norm: Norm, like images: Tensor
  ) {
    let (channels, height, width) = (images.size(1), images.size(2), images.size(3))
    let isLinf = norm == .linf
    let count = isLinf ? 2 + channels : 5 + channels
    var values: [Float] = []
    values.reserveCapacity(sides.count * streams.count * count)
    for (place, side) in sides.enumerated() {
      for stream in streams {
        var stream = stream.keyed(first + place)
        for _ in 0..<(isLinf ? 1 : 2) {
          values.append(Float(stream.integer(below: height - side + 1)))
          values.append(Float(stream.integer(below: width - side + 1)))
        }
        for _ in 0..<(isLinf ? channels : 1 + channels) { values.append(stream.sign()) }
      }
    }
    numbers = Tensor(values, shape: [sides.count, streams.count, count]).to(images.device)
    (self.first, self.sides, self.isLinf) = (first, sides, isLinf)
    (self.height, self.width) = (height, width)
  }

  /// Goes on with some rows only.
  mutating func keep(_ kept: Kept) {
    if let index = kept.index { numbers = numbers.indexSelect(index, dim: 1) }
  }

  /// The draw of a query.
  subscript(query: Int) -> SquareDraw {
    let own = numbers.select(0, query - first)
    func window(_ start: Int) -> SquareWindows {
      SquareWindows(
        side: sides[query - first], edges: own.slice(start..<start + 2, dim: 1), height: height,
        width: width)
    }
    let signs = own.slice((isLinf ? 2 : 5)..<own.size(1), dim: 1).unsqueeze(2)
    let turned = isLinf ? nil : (own.slice(4..<5, dim: 1) .> 0).unsqueeze(2)
    return SquareDraw(window: window(0), signs: signs, move: turned.map { (window(2), $0) })
  }
}

extension RandomStream {
  /// −1 or 1.
  fileprivate mutating func sign() -> Float { next() >> 63 == 0 ? -1 : 1 }
}

extension [RandomStream] {
  /// A sign for each of `count` things per stream, (streams, count, 1, 1).
  mutating func signs(_ count: Int, device: Device) -> Tensor {
    var signs: [Float] = []
    signs.reserveCapacity(self.count * count)
    for row in indices {
      for _ in 0..<count { signs.append(self[row].sign()) }
    }
    return Tensor(signs, shape: [self.count, count, 1, 1]).to(device)
  }
}

/// Square windows of equal side, one per row, anywhere in the image.
struct SquareWindows {
  /// The length of a side in pixels.
  let side: Int
  /// Their upper edges (rows, 1), whole numbers in float32.
  private let tops: Tensor
  /// Their left edges (rows, 1).
  private let lefts: Tensor
  private let height: Int
  private let width: Int

  /// Windows of a side whose upper and left edges are given, (rows, 2).
  init(side: Int, edges: Tensor, height: Int, width: Int) {
    self.side = side
    self.height = height
    self.width = width
    tops = edges.slice(0..<1, dim: 1)
    lefts = edges.slice(1..<2, dim: 1)
  }

  /// A mask of the windows' pixels (rows, 1, H, W).
  var mask: Tensor {
    inside(tops, height).reshape([-1, 1, height, 1])
      .& inside(lefts, width).reshape([-1, 1, 1, width])
  }

  /// The pixels' places among the H·W of an image, (rows, 1, side²), row-major.
  var places: Tensor {
    let steps = Tensor.arange(side, device: tops.device)
    let vertical = (tops.to(.int64) + steps).unsqueeze(2) * width
    return (vertical + (lefts.to(.int64) + steps).unsqueeze(1)).reshape([-1, 1, side * side])
  }

  private func inside(_ edges: Tensor, _ length: Int) -> Tensor {
    let offset = Tensor.arange(length, dtype: edges.dtype, device: edges.device) - edges
    return (offset .>= 0) .& (offset .< side)
  }
}
