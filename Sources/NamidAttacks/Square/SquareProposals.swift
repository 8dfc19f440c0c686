import NamidTorch

/// The images that Square proposes; every random number comes from the row's own stream.
extension Square {
  /// The first image of each row.
  ///
  /// L∞: vertical stripes of ±ε, one sign per channel and column. L2 and L1: a grid of five by five patterns or more,
  /// each with its own orientation and a sign per channel, as large as the ball allows.
  func first(around origin: Tensor, _ draws: inout [RandomStream]) -> Tensor {
    let (channels, height, width) = (origin.size(1), origin.size(2), origin.size(3))
    if threat.norm == .linf {
      let signs = draws.signs(channels * width, device: origin.device)
      let stripes = signs.reshape([-1, channels, 1, width]) * threat.epsilon.value
      return (origin + stripes).clamp_(min: 0, max: 1)
    }
    let side = max(min(height, width) / 5, 1)
    let (down, across) = (height / side, width / side)
    let turned =
      draws.signs(down * across, device: origin.device).reshape([-1, 1, down, 1, across, 1]) .> 0
    let signs = draws.signs(channels * down * across, device: origin.device)
      .reshape([-1, channels, down, 1, across, 1])
    let pattern = SquarePattern.values(side: side, norm: threat.norm).to(origin.device)
    // (rows, C, down, side, across, side): a pattern's rows lie across a row of the grid.
    let upright = pattern.reshape([side, 1, side])
    let tiles =
      pattern.transpose(0, 1).reshape([side, 1, side]).where(turned, else: upright) * signs
    let grid = tiles.reshape([-1, channels, down * side, across * side])
    let (top, left) = ((height - down * side) / 2, (width - across * side) / 2)
    let delta = grid.pad([
      left, width - across * side - left, top, height - down * side - top,
    ])
    return filled(delta, around: origin)
  }

  /// The current images with one window changed per row.
  ///
  /// L∞: ±ε in the window, one sign per channel. L2 and L1: the mass of two windows moves into the first, which
  /// becomes the sum of what it held and of a pattern; what the ball leaves unused comes on top.
  func proposal(
    from current: Tensor, around origin: Tensor, _ draw: SquareDraw, _ patterns: SquarePatterns
  ) -> Tensor {
    let (window, signs) = (draw.window, draw.signs)
    guard let (source, turned) = draw.move else {
      let change = signs.unsqueeze(3) * threat.epsilon.value
      return (origin + change).clamp_(min: 0, max: 1).where(window.mask, else: current)
    }
    let channels = origin.size(1)
    let upright = patterns[window.side]
    let pattern = upright.transpose(0, 1).reshape([1, 1, -1])
      .where(turned, else: upright.reshape([1, 1, -1]))

    let delta = current - origin
    let rest = delta.maskedFill(window.mask .| source.mask, 0)
    let places = window.places.expand([-1, channels, -1])
    let old = delta.flatten(2).gather(places, dim: 2)
    let new = unit(pattern * signs + unit(old, [2]), [2])
    let mass = allowance(delta: delta, moved: delta - rest, channels: channels)
    let changed = rest.flatten(2).scatterAdd(places, new * mass, dim: 2).reshape(delta.shape)
    return filled(changed, around: origin)
  }

  /// The norm that each channel of the new window gets, (rows, C, 1).
  private func allowance(delta: Tensor, moved: Tensor, channels: Int) -> Tensor {
    let epsilon = threat.epsilon.value
    if threat.norm == .l2 {
      let unused = (epsilon * epsilon - delta.square().sum([1, 2, 3])).clamp(min: 0)
      let mass = moved.square().sum([2, 3]).unsqueeze(2)
      return (unused.reshape([-1, 1, 1]) / channels + mass).sqrt()
    }
    let unused = (epsilon - delta.abs().sum([1, 2, 3])).clamp(min: 0)
    let mass = moved.abs().sum([2, 3]).unsqueeze(2)
    return (unused.reshape([-1, 1, 1]) / channels + mass) * channels
  }

  /// Images at perturbations as long as the ball allows: scaled to ε in L2, projected in L1.
  private func filled(_ delta: Tensor, around origin: Tensor) -> Tensor {
    if threat.norm == .l1 { return threat.project(origin + delta, around: origin) }
    return (origin + unit(delta, [1, 2, 3]) * threat.epsilon.value).clamp_(min: 0, max: 1)
  }

  /// Values scaled to norm 1 along dimensions; zero stays zero.
  private func unit(_ values: Tensor, _ dimensions: [Int]) -> Tensor {
    let size =
      threat.norm == .l2
      ? values.square().sum(dimensions, keepdim: true).sqrt()
      : values.abs().sum(dimensions, keepdim: true)
    return values / size.clamp(min: 1e-12)
  }
}

/// The patterns of a search, each made and sent to its device once.
final class SquarePatterns {
  private let norm: Norm
  private let device: Device
  private var known: [Int: Tensor] = [:]

  /// Proposals before the first pattern is drawn.
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
  /// The pattern (side, side) with norm 1; weights fall with the square in L2, with the fourth power in L1.
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
