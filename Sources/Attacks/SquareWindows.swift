import Torch

/// Square windows of equal side, one per row, anywhere in the image.
struct SquareWindows {
  /// The length of a side in pixels.
  let side: Int
  /// Their upper edges (rows, 1).
  private let tops: Tensor
  /// Their left edges (rows, 1).
  private let lefts: Tensor
  private let height: Int
  private let width: Int

  /// Windows drawn from the rows' streams, all places equally likely.
  init(side: Int, height: Int, width: Int, draws: inout [RandomStream], device: Device) {
    self.side = side
    self.height = height
    self.width = width
    var corners: [Int] = []
    for row in draws.indices {
      corners.append(draws[row].integer(below: height - side + 1))
      corners.append(draws[row].integer(below: width - side + 1))
    }
    let edges = Tensor(corners, shape: [draws.count, 2]).to(device)
    tops = edges.slice(0..<1, dim: 1)
    lefts = edges.slice(1..<2, dim: 1)
  }

  /// Where the pixels of the windows are (rows, 1, H, W).
  var mask: Tensor {
    inside(tops, height).reshape([-1, 1, height, 1])
      .& inside(lefts, width).reshape([-1, 1, 1, width])
  }

  /// The pixels' places among the H·W of an image, (rows, 1, side²), row-major.
  var places: Tensor {
    let steps = Tensor.arange(side, device: tops.device)
    let vertical = (tops + steps).unsqueeze(2) * width
    return (vertical + (lefts + steps).unsqueeze(1)).reshape([-1, 1, side * side])
  }

  private func inside(_ edges: Tensor, _ length: Int) -> Tensor {
    let offset = Tensor.arange(length, device: edges.device) - edges
    return (offset .>= 0) .& (offset .< side)
  }
}

extension [RandomStream] {
  /// A sign for each of `count` things per stream, (streams, count, 1, 1).
  mutating func signs(_ count: Int, device: Device) -> Tensor {
    var signs: [Float] = []
    signs.reserveCapacity(self.count * count)
    for row in indices {
      for _ in 0..<count { signs.append(self[row].next() >> 63 == 0 ? -1 : 1) }
    }
    return Tensor(signs, shape: [self.count, count, 1, 1]).to(device)
  }

  /// A coin for each of `count` things per stream, (streams, count).
  mutating func coins(_ count: Int, device: Device) -> Tensor {
    signs(count, device: device).reshape([self.count, count]) .> 0
  }
}
