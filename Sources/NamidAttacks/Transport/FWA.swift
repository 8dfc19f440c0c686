import NamidNetworks
import NamidTorch

/// Attacks that move an image's mass over its pixels, a Wasserstein distance apart (Wu, Wang and Yu, ICML 2020).
///
/// What is varied is a transport plan: how much of each pixel's value goes to which pixel of a window around it.
/// Its cost, the mean distance in pixels that a unit of mass travels, is at most the radius. Channels exchange no
/// mass and share the budget. The radius bounds no norm of the perturbation, so there is no `ball`.
///
/// The network sees, and the attack returns, images clipped to [0, 1]; mass above 1 is lost by that.
public struct FWA: Attack, Hashable, Sendable {
  /// The algorithm and its usual settings.
  public enum Mode: String, CaseIterable, Codable, Sendable {
    /// Frank and Wolfe's method with an entropic linear step, the attack of the paper's title.
    case frankWolfe = "frank-wolfe"
    /// Projected gradient ascent with projections in the dual, the paper's other attack.
    case dualProjection = "dual-projection"
    /// Dual projection as the authors of NAMID have run it under the name FWA.
    case authors
  }

  /// The algorithm.
  public var mode: Mode
  /// Gradient steps.
  public var steps: Int
  /// The largest mean distance that mass may travel, in pixels.
  public var radius: Double
  /// The side of the window within which mass travels.
  public var kernel: Int
  /// The weight of entropy in the linear step of `frankWolfe`.
  public var gamma: Double
  /// How often the price of distance is corrected in each step.
  public var dualSteps: Int
  /// The largest change of a mass in a gradient step of dual projection.
  public var stepSize: Double

  /// An attack; what is not given is as usual in the mode.
  ///
  /// - Parameters:
  ///   - mode: The algorithm.
  ///   - steps: Gradient steps.
  ///   - radius: In pixels; 0.005 unless given, as the paper has for CIFAR-10, and 8/255 for `authors`.
  ///   - kernel: The window's side; 5 unless given, 4 for `authors`.
  ///   - gamma: The weight of entropy, for `frankWolfe`.
  ///   - dualSteps: 30 for `frankWolfe` and 15 for the others unless given.
  ///   - stepSize: 0.01 unless given, 0.007 for `authors`; not for `frankWolfe`.
  public init(
    mode: Mode = .frankWolfe, steps: Int = 40, radius: Double? = nil, kernel: Int? = nil,
    gamma: Double = 1e-3, dualSteps: Int? = nil, stepSize: Double? = nil
  ) {
    self.mode = mode
    self.steps = steps
    self.radius = radius ?? (mode == .authors ? 8.0 / 255 : 0.005)
    self.kernel = kernel ?? (mode == .authors ? 4 : 5)
    self.gamma = gamma
    self.dualSteps = dualSteps ?? (mode == .frankWolfe ? 30 : 15)
    self.stepSize = stepSize ?? (mode == .authors ? 0.007 : 0.01)
    precondition(
      self.steps >= 0 && self.radius >= 0 && self.kernel >= 1 && gamma > 0 && self.dualSteps >= 1,
      "FWA with \(self)")
  }

  /// `fwa-STEPS`.
  public var name: String { "fwa-\(steps)" }

  /// None: transport of mass is bounded by its own radius.
  public var ball: ThreatModel? { nil }

  /// All settings that the mode has, by name.
  public var settings: [String: String] {
    let common = [
      "mode": mode.rawValue, "steps": "\(steps)", "radius": "\(radius)", "kernel": "\(kernel)",
      "dual_steps": "\(dualSteps)",
    ]
    let own = mode == .frankWolfe ? ["gamma": "\(gamma)"] : ["step_size": "\(stepSize)"]
    return common.merging(own) { $1 }
  }

  /// Attacks a batch; a sample leaves the work as soon as it is fooled.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    run(on: classifier, images: images, labels: labels, goal: goal) { _, _ in }
  }

  /// Attacks a batch and shows the plan of every image that the network judges.
  ///
  /// - Parameters:
  ///   - classifier: The network.
  ///   - images: Float32 (N, C, H, W) in [0, 1].
  ///   - labels: Classes (N), int64.
  ///   - goal: Whether a fooled sample is done.
  ///   - observe: Called before each evaluation of the network with the plans under way and their samples.
  /// - Returns: Attacked images, verdicts and costs.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, goal: Goal,
    observing observe: (_ plan: TransportPlan, _ samples: [Int]) -> Void
  ) -> AttackResult {
    Search.run(on: classifier, images: images, labels: labels, goal: goal) { search in
      if radius > 0 { attack(search, observe) }
    }
  }

  private func attack(_ search: Search, _ observe: (TransportPlan, [Int]) -> Void) {
    var rows = search.survivors
    if rows.isEmpty { return }
    var plan = TransportPlan(staying: rows.images, window: TransportWindow(side: kernel))
    var prices = rows.images.sum([1, 2, 3]).zerosLike()
    var budget = TransportBudget(window: plan.window, radius: radius, images: rows.images)
    var entropic = EntropicTransport(budget: budget, gamma: gamma, evaluations: dualSteps)
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
      if mode == .frankWolfe {
        entropic.budget = budget
        let best = entropic.masses(along: direction)
        // An image without a gradient stays.
        let share = (largest .> 0).to(.float32) * (2 / Double(step + 2))
        masses = best.mul_(share).add_(plan.masses * (1 - share))
      } else {
        let target = plan.window.destinations(direction * stepSize).add_(plan.masses)
        (masses, prices) = TransportProjection(budget: budget, priceSteps: dualSteps).masses(
          nearestTo: target, from: kept.of(prices), rowTolerance: 1e-6 * (1 + stepSize))
      }
      plan = TransportPlan(window: plan.window, masses: masses, images: rows.images)
    }
  }
}

extension FWA {
  /// The ball asked for does not matter: the attack has its own radius, so that it is there for every norm.
  static let entry = AttackEntry(
    name: "fwa", number: "steps", summary: "transport of mass within its own Wasserstein radius",
    source: "Wu, Wang and Yu, ICML 2020", norms: Norm.allCases
  ) { _, settings throws(AttackListError) in
    let mode = try settings.choice("mode", default: Mode.frankWolfe)
    let usual = FWA(mode: mode)
    let steps = try settings.integer("steps", default: usual.steps)
    let radius = try settings.real("radius", default: usual.radius, in: 0...100)
    let kernel = try settings.integer("kernel", default: usual.kernel, minimum: 2, maximum: 31)
    if mode != .authors && kernel.isMultiple(of: 2) {
      throw settings.problem("kernel=\(kernel)", "must be odd: only mode=authors takes an even one")
    }
    let dualSteps = try settings.integer("dual_steps", default: usual.dualSteps, maximum: 10_000)
    var attack = FWA(
      mode: mode, steps: steps, radius: radius, kernel: kernel, dualSteps: dualSteps)
    if mode == .frankWolfe {
      attack.gamma = try settings.real(
        "gamma", default: usual.gamma, in: 1e-7...1e3)
    } else {
      attack.stepSize = try settings.real(
        "step_size", default: usual.stepSize, in: 0...1e3, excludingLow: true)
    }
    return attack
  }
}
