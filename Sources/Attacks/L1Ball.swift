import Torch

/// The L1 ball within the box of images.
enum L1Ball {
  /// The nearest point to each image in {x : ‖x − origin‖₁ ≤ radius, 0 ≤ x ≤ 1}, exactly up to rounding.
  ///
  /// With y = image − origin and the room r that the box leaves each value in the direction of y, the solution
  /// changes each value by sign(y)·min(max(|y| − λ, 0), r) for the smallest λ ≥ 0 that fits the radius (Croce and
  /// Hein, ICML 2021, Proposition 2.1). λ is found by bisection in float64 and taken from the feasible side.
  static func project(_ images: Tensor, around origin: Tensor, radius: Double) -> Tensor {
    project(
      images, around: origin,
      radius: .scalar(radius, dtype: .float64, device: images.device))
  }

  /// The nearest point as above, with a radius for each image: (N, 1, 1, 1).
  static func project(_ images: Tensor, around origin: Tensor, radius: Tensor) -> Tensor {
    let origin64 = origin.to(.float64)
    let change = images.to(.float64) - origin64
    let size = change.abs()
    let room = (1 - origin64).where(change .> 0, else: origin64)
    let dimensions = Array(1..<images.rank)
    func sizes(_ threshold: Tensor) -> Tensor { (size - threshold).clamp(min: 0).minimum(room) }
    var low = size.amax(dimensions, keepdim: true).zerosLike()
    var high = size.amax(dimensions, keepdim: true)
    let fits = sizes(low).sum(dimensions, keepdim: true) .<= radius
    for _ in 0..<50 {
      let middle = (low + high) * 0.5
      let isEnough = sizes(middle).sum(dimensions, keepdim: true) .<= radius
      high = middle.where(isEnough, else: high)
      low = low.where(isEnough, else: middle)
    }
    let kept = sizes(high.maskedFill(fits, 0)) * change.sign()
    return (origin64 + kept).clamp(min: 0, max: 1).to(images.dtype)
  }

  /// The direction of the largest gain per unit of L1: all of it on the values with the largest gradient.
  static func steepestAscent(_ gradient: Tensor) -> Tensor {
    let dimensions = Array(1..<gradient.rank)
    let size = gradient.abs()
    let largest = (size .== size.amax(dimensions, keepdim: true)).to(gradient.dtype)
    return gradient.sign() * largest / largest.sum(dimensions, keepdim: true)
  }

  /// Directions of length 1 in L1 that are uniform on its sphere: exponential sizes with random signs.
  static func directions(_ streams: [RandomStream], _ shape: [Int]) -> Tensor {
    let sizes = -(1 - Tensor.uniform(streams, shape: shape) * 0.999_999_9).log()
    let signs = (Tensor.uniform(streams.map { $0.keyed("sign") }, shape: shape) - 0.5).sign()
    return sizes * signs / sizes.sum(Array(1...shape.count), keepdim: true)
  }
}
