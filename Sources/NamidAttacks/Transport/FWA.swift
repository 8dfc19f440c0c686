import NamidSettings
import NamidTorch

/// Attacks that move an image's mass over its pixels, a Wasserstein distance apart (Wu, Wang and Yu, ICML 2020).
///
/// The variable is a transport plan: the share of each pixel's value that goes to each pixel of a window around it.
/// Its cost, the mean distance in pixels that a unit of mass travels, is at most the radius. Channels exchange no
/// mass and share the budget. The radius bounds no norm of the perturbation, so there is no `ball`.
///
/// The network sees, and the attack returns, images clipped to [0, 1]; mass above 1 is lost by that.
public struct FWA: Attack, Hashable {
  /// The choices of the attack.
  public struct Settings: AttackSettings {
    /// The algorithm.
    public var mode = Mode.frankWolfe
    /// Gradient steps.
    public var steps = 40
    /// The largest mean distance that mass may travel, in pixels: 0.005 in the paper for CIFAR-10, 8/255 for `authors`.
    public var radius = 0.005
    /// The side of the window within which mass travels; 5 is usual, 4 for `authors`.
    public var kernel = 5
    /// Corrections of the price of distance in each step; 30 is usual, 15 with projections.
    public var dualSteps = 30
    /// The weight of entropy in the linear step of `frankWolfe`; nil in the other modes.
    public var gamma: Double?
    /// The largest change of a mass in a gradient step with projections; nil for `frankWolfe`.
    public var stepSize: Double?

    /// The paper's choices for its first algorithm.
    public init(in threat: ThreatModel) { gamma = 1e-3 }

    /// `mode`.
    public static let presetKey: String? = "mode"

    /// The usual choices of the mode.
    public func usual(in threat: ThreatModel) -> Self {
      var usual = Self(in: threat)
      usual.mode = mode
      if mode != .frankWolfe { (usual.dualSteps, usual.gamma, usual.stepSize) = (15, nil, 0.01) }
      if mode == .authors { (usual.radius, usual.kernel, usual.stepSize) = (8.0 / 255, 4, 0.007) }
      return usual
    }

    /// Refuses counts and sizes that cannot work, and choices without a meaning in the mode.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      let isFrankWolfe = mode == .frankWolfe
      try require(steps, "steps", in: 0...1_000_000)
      try require(radius, "radius", in: 0...100)
      try require(kernel, "kernel", in: 2...31)
      try require(
        mode == .authors || !kernel.isMultiple(of: 2), "kernel",
        "must be odd: only mode=authors takes an even one")
      try require(dualSteps, "dualSteps", in: 1...10_000)
      try require(isFrankWolfe == (gamma != nil), "gamma", "is for mode=frank-wolfe alone")
      if let gamma { try require(gamma, "gamma", in: 1e-7...1e3) }
      try require(!isFrankWolfe == (stepSize != nil), "stepSize", "is not for mode=frank-wolfe")
      if let stepSize { try require(stepSize, "stepSize", in: 0...1e3, excludingLow: true) }
    }
  }

  /// The algorithm and its usual choices.
  public enum Mode: String, CaseIterable, Codable, Sendable {
    /// Frank and Wolfe's method with an entropic linear step, the attack of the paper's title.
    case frankWolfe = "frank-wolfe"
    /// Projected gradient ascent with projections in the dual, the paper's other attack.
    case dualProjection = "dual-projection"
    /// Dual projection as the authors of NAMID have run it under the name FWA.
    case authors
  }

  /// The choices made.
  public var settings: Settings
  /// The threat model of the attacks beside it; this one has its own radius.
  public var threat: ThreatModel

  /// An attack with these choices.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// `fwa-STEPS`.
  public var name: String { "fwa-\(settings.steps)" }

  /// Nil: transport of mass is bounded by its own radius.
  public var ball: ThreatModel? { nil }

  /// 2 ms a step: projections onto transport plans cost more than a small network.
  public var overhead: Double { 2e-3 * Double(settings.steps) }

  /// One gradient a step, and one forward more for the last image.
  public func budget(classCount: Int) -> Cost {
    settings.radius == 0
      ? Cost(forwards: 1) : Cost(forwards: settings.steps + 2, backwards: settings.steps)
  }

  /// Moves mass until every sample is fooled or the budget is spent.
  public func attack(_ search: Search) { attack(search, observing: { _, _ in }) }

  /// Moves mass as `attack(_:)` does; shows the plans under way and their samples before the network judges them.
  func attack(
    _ search: Search, observing observe: (_ plan: TransportPlan, _ samples: [Int]) -> Void
  ) {
    let steps = settings.steps
    var rows = search.survivors
    if settings.radius == 0 || rows.isEmpty { return }
    var plan = TransportPlan(staying: rows.images, window: TransportWindow(side: settings.kernel))
    var prices = rows.images.sum([1, 2, 3]).zerosLike()
    var budget = TransportBudget(window: plan.window, radius: settings.radius, images: rows.images)
    var entropic = EntropicTransport(
      budget: budget, gamma: settings.gamma ?? 1e-3, evaluations: settings.dualSteps)
    for step in 0...steps {
      observe(plan, rows.samples)
      let arrivals = plan.arrivals
      let current = arrivals.clamp(min: 0, max: 1)
      let point = search.point(at: current, of: rows) {
        AttackLoss.crossEntropy.values($0, rows.labels)
      }
      let kept = search.note(current, logits: point.logits, losses: point.values, of: rows)
      if step == steps || kept.isEmpty { return }
      rows = rows.keeping(kept)
      plan = plan.keeping(kept)
      budget = budget.keeping(kept)
      // More mass than 1 is clipped and changes nothing.
      let gradient = kept.of(
        search.gradient(at: point, of: rows).maskedFill(arrivals .> 1, 0))
      let largest = gradient.abs().amax([1, 2, 3], keepdim: true)
      let direction = gradient / largest.clamp(min: 1.2e-38)
      let masses: Tensor
      if settings.mode == .frankWolfe {
        entropic.budget = budget
        let best = entropic.masses(along: direction)
        // An image without a gradient stays.
        let share = (largest .> 0).to(.float32) * (2 / Double(step + 2))
        masses = best.mul_(share).add_(plan.masses * (1 - share))
      } else {
        let stepSize = settings.stepSize ?? 0.01
        let target = plan.window.destinations(direction * stepSize).add_(plan.masses)
        (masses, prices) = TransportProjection(budget: budget, priceSteps: settings.dualSteps)
          .masses(
            nearestTo: target, from: kept.of(prices), rowTolerance: 1e-6 * (1 + stepSize))
      }
      plan = TransportPlan(window: plan.window, masses: masses, images: rows.images)
    }
  }

  static let entry = AttackEntry(
    FWA.self, name: "fwa", number: "steps",
    summary: "transport of mass within its own Wasserstein radius",
    source: "Wu, Wang and Yu, ICML 2020", norms: Norm.allCases)
}

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

  /// The best plan's masses (N, C, k², H·W), within the budget.
  ///
  /// The direction is the gain of a unit of mass at each pixel, (N, C, H, W), within [-1, 1].
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

  /// The nearest plan's masses, within the budget, and its prices (N), good first guesses for the next projection.
  ///
  /// The target (N, C, k², H·W) is minus infinity where an offset leads outside the image. While the price is sought,
  /// the sum of a row errs by at most `rowTolerance`.
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
