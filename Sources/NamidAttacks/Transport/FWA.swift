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

  /// Moves mass as `attack(_:)` does, and shows the plan of every image that the network judges.
  ///
  /// - Parameters:
  ///   - search: The samples to attack.
  ///   - observe: Called before each evaluation of the network with the plans under way and their samples.
  public func attack(
    _ search: Search, observing observe: (_ plan: TransportPlan, _ samples: [Int]) -> Void
  ) {
    if settings.radius > 0 { transport(search, observe) }
  }

  private func transport(_ search: Search, _ observe: (TransportPlan, [Int]) -> Void) {
    let steps = settings.steps
    var rows = search.survivors
    if rows.isEmpty { return }
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
}

extension FWA {
  static let entry = AttackEntry(
    FWA.self, name: "fwa", number: "steps",
    summary: "transport of mass within its own Wasserstein radius",
    source: "Wu, Wang and Yu, ICML 2020", norms: Norm.allCases)
}
