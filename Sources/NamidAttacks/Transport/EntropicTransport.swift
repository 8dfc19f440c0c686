import NamidTorch

/// The linear step of Frank and Wolfe on transport plans (Wu, Wang and Yu, ICML 2020, Section 4).
///
/// Among the plans π within the budget it finds the one that maximises ⟨G, π⟩ + γ·entropy. At a price λ of distance
/// that is π = x · softmax((G − λC) / γ) for each pixel; the price is the one at which the budget is spent.
struct EntropicTransport {
  var budget: TransportBudget
  let gamma: Double
  /// The most evaluations of the cost.
  let evaluations: Int
  /// The places of the offsets of equal length, per length.
  private let rings: [Tensor]
  /// The lengths and their squares, (2, lengths).
  private let moments: Tensor

  init(budget: TransportBudget, gamma: Double, evaluations: Int) {
    self.budget = budget
    self.gamma = gamma
    self.evaluations = evaluations
    let (rings, device) = (budget.window.rings, budget.mass.device)
    self.rings = rings.map { Tensor($0.offsets, shape: [$0.offsets.count]).to(device) }
    let lengths = rings.map { Float($0.distance) }
    moments = Tensor(lengths + lengths.map { $0 * $0 }, shape: [2, lengths.count]).to(device)
  }

  /// The best plan's masses, within the budget.
  ///
  /// - Parameter direction: The gain of a unit of mass at each pixel, (N, C, H, W), within [-1, 1].
  /// - Returns: Masses (N, C, k², H·W).
  func masses(along direction: Tensor) -> Tensor {
    let gains = budget.window.destinations(direction / gamma)
    let prices = (price(gains) / gamma).view([-1, 1, 1, 1])
    let masses = (gains - prices * budget.distances.view([-1, 1])).softmax(2)
    masses.mul_(budget.mass.unsqueeze(2))
    budget.restrict_(masses)
    return masses
  }

  /// The price for each image, (N).
  ///
  /// Offsets of equal length keep their proportions at every price, so that an evaluation needs one number per
  /// pixel and length (6 of them in a 5 × 5 window) instead of one per pixel and offset (25).
  private func price(_ gains: Tensor) -> Tensor {
    let ringGains = Tensor.cat(
      rings.map { gains.indexSelect($0, dim: 2).logsumexp([2], keepdim: true) }, dim: 2)
    let lengthColumn = moments.select(0, 0).view([-1, 1])
    let high = highestPrice
    var multiplier = TransportMultiplier(from: high * 0.5, below: high, limits: budget.limits)
    for evaluation in 0..<evaluations {
      let price = (multiplier.value / gamma).view([-1, 1, 1, 1])
      let means = moments.matmul((ringGains - price * lengthColumn).softmax(2))
      let (mean, square) = (means.select(2, 0), means.select(2, 1))
      let excess = (budget.mass * mean).sum([1, 2]) - budget.limits
      multiplier.check(excess: excess)
      if evaluation == evaluations - 1 { break }
      if Pacing.asks(after: evaluation, on: gains.device), multiplier.isComplete { break }
      let spread = (budget.mass * (square - mean.square())).sum([1, 2])
      _ = multiplier.advance(excess: excess, slope: spread / gamma)
    }
    return multiplier.value
  }

  /// A price at which the plan surely fits the budget: a move of at least one pixel gains at most 2.
  private var highestPrice: Tensor {
    let everything = budget.mass.sum([1, 2]) * budget.distances.sum()
    let ratio = everything / budget.limits.clamp(min: 1e-30)
    return 2 + ratio.clamp(min: 1).log() * gamma
  }
}
