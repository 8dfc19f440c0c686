import NamidTorch

/// The L1 ball within the box of images.
enum L1Ball {
  /// The nearest point to each image in {x : ‖x − origin‖₁ ≤ radius, 0 ≤ x ≤ 1}, exactly up to rounding.
  ///
  /// With y = image − origin and the room r that the box leaves each value in the direction of y, the solution
  /// changes each value by sign(y)·min(max(|y| − λ, 0), r) for the smallest λ ≥ 0 that fits the radius (Croce and
  /// Hein, ICML 2021, Proposition 2.1). There is a radius for each image (N, 1, 1, 1) or one for all.
  static func project(_ images: Tensor, around origin: Tensor, radius: Tensor) -> Tensor {
    let radius = radius.rank == 0 ? radius : radius.flatten(1).to(.float64)
    let origin64 = origin.to(.float64)
    let change = images.to(.float64) - origin64
    let room = (1 - origin64).where(change .> 0, else: origin64)
    let sizes = shrunk(change.abs().flatten(1), within: room.flatten(1), to: radius)
    let kept = sizes.reshape(images.shape) * change.sign()
    return (origin64 + kept).clamp(min: 0, max: 1).to(images.dtype)
  }

  /// min(max(s − λ, 0), r) per row of sizes s (rows, values) and rooms r, with the smallest λ ≥ 0 at which a row's sum
  /// is at most `radius`; in float64.
  ///
  /// The sum is piecewise linear in λ and falls, so Newton's method ends exactly once it meets the right piece, mostly
  /// within 6 steps. A step that would leave the bracket is replaced by bisection; each row stops by itself, so that it
  /// does not depend on its neighbours, nor on when it is noticed that all have stopped.
  static func shrunk(_ sizes: Tensor, within room: Tensor, to radius: Tensor) -> Tensor {
    let tolerance = radius * 1e-12
    let floor = room.zerosLike()
    func reduced(_ threshold: Tensor) -> (raw: Tensor, clipped: Tensor, excess: Tensor) {
      let raw = sizes - threshold
      let clipped = raw.clamp(min: floor, max: room)
      return (raw, clipped, clipped.sum([1], keepdim: true) - radius)
    }
    var threshold = sizes.slice(0..<1, dim: 1).zerosLike()
    var (low, high) = (threshold, sizes.amax([1], keepdim: true))
    var (raw, clipped, excess) = reduced(threshold)
    var isDone = excess .<= tolerance
    for step in 0..<mostSteps {
      if Pacing.asks(after: step, on: sizes.device), isDone.all().bools() == [true] {
        return clipped
      }
      // All that lie strictly between the bounds shrink with λ; counting those at a bound too makes a step shorter.
      let slope = (raw .== clipped).to(.float64).sum([1], keepdim: true)
      let fits = excess .<= 0
      low = low.where(fits, else: threshold)
      high = threshold.where(fits, else: high)
      let newton = threshold + excess / slope
      let isInside = (newton .> low) .& (newton .< high)
      let middle = (low + high) * 0.5
      let next = step < newtonSteps ? newton.where(isInside, else: middle) : middle
      threshold = threshold.where(isDone, else: next)
      (raw, clipped, excess) = reduced(threshold)
      isDone = isDone .| (excess.abs() .<= tolerance)
    }
    // Rows that rounding keeps from the tolerance are taken from the side that fits.
    return reduced(threshold.where(isDone, else: high)).clipped
  }

  private static let newtonSteps = 30
  private static let mostSteps = 100

  /// The direction of the largest gain per unit of L1: all of it on the values with the largest gradient.
  static func steepestAscent(_ gradient: Tensor) -> Tensor {
    let dimensions = Array(1..<gradient.rank)
    let size = gradient.abs()
    let largest = (size .== size.amax(dimensions, keepdim: true)).to(gradient.dtype)
    return gradient.sign() * largest / largest.sum(dimensions, keepdim: true)
  }

  /// Directions of length 1 in L1 that are uniform on its sphere: exponential sizes with random signs.
  static func directions(_ streams: RandomStreams, _ shape: [Int], device: Device) -> Tensor {
    let sizes = -(1 - Tensor.uniform(streams, shape: shape, device: device) * 0.999_999_9).log()
    let signs = (Tensor.uniform(streams.keyed("sign"), shape: shape, device: device) - 0.5).sign()
    return sizes * signs / sizes.sum(Array(1...shape.count), keepdim: true)
  }
}
