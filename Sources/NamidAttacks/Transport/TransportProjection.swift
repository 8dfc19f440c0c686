import NamidTorch

/// The nearest allowed transport plan (Wu, Wang and Yu, ICML 2020, Section 3: dual projection).
///
/// The projection of V onto the plans is max(V − λC − τ, 0) with a threshold τ for each pixel, such that it sends
/// what it has, and a price λ ≥ 0 for each image, such that the budget holds. Both are found together by Newton's
/// method on the dual function, whose pieces are quadratic: from the plan's active entries follows the step that
/// would solve all equations if these remained the active ones.
struct TransportProjection {
  let budget: TransportBudget
  /// The most moves of prices; thresholds may need two more evaluations for each.
  let priceSteps: Int

  /// Steps that are taken without brackets; more are rarely needed.
  private static let freeSteps = 8

  /// The nearest plan's masses, and its prices, which are good first guesses for the next projection.
  ///
  /// - Parameters:
  ///   - target: The masses to project, (N, C, k², H·W); minus infinity where an offset leads outside the image.
  ///   - start: First guesses of the prices (N).
  ///   - rowTolerance: The largest error of a row's sum while the price is sought.
  /// - Returns: Masses within the budget, and prices (N).
  func masses(nearestTo target: Tensor, from start: Tensor, rowTolerance: Double) -> (
    masses: Tensor, prices: Tensor
  ) {
    let distances = budget.distances
    let moments = Tensor.stack([distances.onesLike(), distances, distances.square()])
    // No threshold is lower: at this one the mass that stays makes up the row alone.
    let lowest = target.select(2, budget.window.centre) - budget.mass
    var thresholds = lowest
    var price = TransportMultiplier(
      from: start, below: target.amax([1, 2, 3]) - lowest.amin([1, 2]), limits: budget.limits)

    func masses() -> Tensor {
      (target - thresholds.unsqueeze(2))
        .sub_(price.value.view([-1, 1, 1, 1]) * distances.view([-1, 1])).clamp_(min: 0)
    }
    for step in 0..<3 * priceSteps {
      let masses = masses()
      let sums = moments.slice(0..<2).matmul(masses)
      let active = moments.matmul(masses.sign())
      let counts = active.select(2, 0)
      let error = sums.select(2, 0) - budget.mass
      let meanDistance = active.select(2, 1) / counts.clamp(min: 1)
      let isExact = error.abs().amax([1, 2]) .<= rowTolerance
      // What the cost would be if the thresholds were solved for.
      let cost = (sums.select(2, 1) - meanDistance * error).sum([1, 2])
      let excess = cost - budget.limits
      price.check(excess: excess, isExact: isExact)
      if Pacing.asks(after: step, on: target.device), price.isComplete { break }
      let slope = (active.select(2, 2) - meanDistance * active.select(2, 1)).sum([1, 2])
      let settled = price.isFound.view([-1, 1, 1])
      let change = price.advance(
        excess: excess, slope: slope, isExact: isExact, isFree: step < Self.freeSteps)
      // The active entries of a row would then sum to what its pixel has; those of them that turn negative are cut
      // off, so that rows only ever send too much, and none loses all its entries.
      let next = thresholds + error / counts.clamp(min: 1) - meanDistance * change.view([-1, 1, 1])
      thresholds = thresholds.where(settled, else: next)
    }
    let result = masses()
    budget.restrict_(result)
    return (result, price.value)
  }
}
