import NamidTorch

/// The plans that are allowed: each pixel sends what it has, and on average no further than a radius.
struct TransportBudget {
  let window: TransportWindow
  /// The mass of each pixel, (N, C, H·W).
  private(set) var mass: Tensor
  /// The largest allowed cost of each image, (N): the radius times its mass.
  private(set) var limits: Tensor
  /// The cost of each offset, (k²).
  let distances: Tensor

  init(window: TransportWindow, radius: Double, images: Tensor) {
    self.window = window
    mass = images.flatten(2)
    limits = mass.sum([1, 2]) * radius
    distances = Tensor(window.distances.map { Float($0) }, shape: [window.side * window.side])
      .to(images.device)
  }

  /// The budget of the images that stay.
  func keeping(_ kept: Kept) -> TransportBudget {
    var budget = self
    (budget.mass, budget.limits) = (kept.of(mass), kept.of(limits))
    return budget
  }

  /// The cost of each plan, (N).
  func costs(of masses: Tensor) -> Tensor { masses.sum([1, 3]).matmul(distances) }

  /// Makes an almost allowed plan an allowed one, in place.
  ///
  /// Rows are scaled to what their pixels have; then, where the cost is too high, the share of the plan that fits is
  /// mixed with staying, which costs nothing. So whatever a search for the best plan leaves undone takes from the
  /// attack's strength, never from the constraint.
  func restrict_(_ masses: Tensor) {
    let stay = masses.select(2, window.centre)
    let sent = masses.sum([2])
    // A row that sends nothing stays.
    let isLost = (sent .<= 0).to(sent.dtype)
    stay.add_(isLost)
    masses.mul_((mass / (sent + isLost)).unsqueeze(2))
    let share = (limits / costs(of: masses).clamp(min: 1e-30)).clamp(max: 1)
    masses.mul_(share.view([-1, 1, 1, 1]))
    stay.add_(mass * (1 - share).view([-1, 1, 1]))
  }
}

/// The price of distance at which the cost of the best plan falls to the budget, sought for each image by itself.
///
/// Newton's steps within a bracket that each evaluation narrows, bisection where they leave it. An image whose
/// price is found keeps it, whatever goes on for others.
struct TransportMultiplier {
  /// The prices (N), at least 0.
  private(set) var value: Tensor
  /// The images whose price is found, (N).
  private(set) var isFound: Tensor
  // Below 0: not even a price of 0 has been tried.
  private var low: Tensor
  private var high: Tensor
  private let tolerance: Tensor

  /// Begins a search from first guesses, below prices at which the cost is within the limit for sure; all (N).
  init(from start: Tensor, below high: Tensor, limits: Tensor) {
    value = start.minimum(high)
    self.high = high
    low = high.fullLike(-1)
    isFound = high .< 0
    // A thousandth of the budget more would not fool a network.
    tolerance = limits * 1e-3
  }

  /// True if nothing is left to be found; waits for the device.
  var isComplete: Bool { isFound.all().bools() == [true] }

  /// Takes note of the excess of the cost over the budget (N) at the current prices.
  ///
  /// `isExact` is a mask of costs that are those of the best plans; nil for all.
  mutating func check(excess: Tensor, isExact: Tensor? = nil) {
    let fits = (excess.abs() .<= tolerance) .| ((value .== 0) .& (excess .<= 0))
    isFound = isFound .| (isExact.map { fits .& $0 } ?? fits)
  }

  /// Moves the prices that are not found, and whose cost is exact; returns their rise (N).
  ///
  /// The slope is the fall of the cost per unit of the price, at least 0. With `isFree`, Newton's steps are taken
  /// without a bracket.
  mutating func advance(
    excess: Tensor, slope: Tensor, isExact: Tensor? = nil, isFree: Bool = false
  ) -> Tensor {
    var next = (value + excess / slope.clamp(min: 1e-30)).clamp(min: 0).minimum(high)
    if !isFree {
      let isOver = excess .> 0
      let isUsed = isExact ?? isOver.onesLike()
      low = value.where(isUsed .& isOver, else: low)
      high = value.where(isUsed .& isOver.logicalNot(), else: high)
      let middle = (low.clamp(min: 0) + high) * 0.5
      next = next.where((next .> low) .& (next .< high), else: middle)
      next = next.where(isUsed, else: value)
    }
    next = value.where(isFound, else: next)
    let change = next - value
    value = next
    return change
  }
}
