import NamidTorch

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

  /// Where the pixels of the windows are (rows, 1, H, W).
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
