import NamidTorch

/// The patterns of a search, each made and sent to its device once.
final class SquarePatterns {
  private let norm: Norm
  private let device: Device
  private var known: [Int: Tensor] = [:]

  /// No pattern yet.
  init(norm: Norm, device: Device) {
    self.norm = norm
    self.device = device
  }

  /// The pattern of a side, (side, side).
  subscript(side: Int) -> Tensor {
    if let pattern = known[side] { return pattern }
    let pattern = SquarePattern.values(side: side, norm: norm).to(device)
    known[side] = pattern
    return pattern
  }
}

/// The pattern of a window in Square's L2 and L1 forms: a bump in its upper part, the negative of one in its lower.
enum SquarePattern {
  /// The pattern with norm 1.
  ///
  /// - Parameters:
  ///   - side: The window's side.
  ///   - norm: L2 or L1; weights fall with the square or the fourth power.
  /// - Returns: (side, side).
  static func values(side: Int, norm: Norm) -> Tensor {
    let upper = bump(side / 2, side, norm)
    let lower = bump(side - side / 2, side, norm).map { -$0 }
    return Tensor(unit(upper + lower, norm).map { Float($0) }, shape: [side, side])
  }

  /// A bump of norm 1, row-major: at Chebyshev distance r from the centre Σ (k + 1)^−q over k from r to the largest
  /// distance, with q 2 for L2 and 4 for L1.
  private static func bump(_ height: Int, _ width: Int, _ norm: Norm) -> [Double] {
    let (y, x) = (height / 2, width / 2)
    var heights = [Double](repeating: 0, count: max(y, x) + 2)
    for distance in stride(from: max(y, x), through: 0, by: -1) {
      let square = Double((distance + 1) * (distance + 1))
      heights[distance] = heights[distance + 1] + 1 / (norm == .l1 ? square * square : square)
    }
    let values = (0..<height).flatMap { row in
      (0..<width).map { heights[max(abs($0 - x), abs(row - y))] }
    }
    return unit(values, norm)
  }

  private static func unit(_ values: [Double], _ norm: Norm) -> [Double] {
    let size =
      norm == .l1
      ? values.reduce(0) { $0 + abs($1) } : values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return size == 0 ? values : values.map { $0 / size }
  }
}
