import NamidAttacks

// Attacks in one line each: what is not given is as usual.

extension PGD {
  /// The usual attack with some choices changed.
  public init(
    threat: ThreatModel, steps: Int, stepSize: Double? = nil, start: Start = .gaussian,
    restarts: Int = 1, loss: AttackLoss = .crossEntropy
  ) {
    self.init(in: threat) {
      ($0.steps, $0.start, $0.restarts, $0.loss) = (steps, start, restarts, loss)
      if let stepSize { $0.stepSize = stepSize }
    }
  }
}

extension APGD {
  /// The usual attack with some choices changed.
  public init(
    _ objective: Objective, threat: ThreatModel, steps: Int = 100, restarts: Int = 1,
    rho: Double? = nil, eot: Int = 1, targets: Int? = nil, schedule: APGDSchedule? = nil,
    largerRadii: Bool? = nil
  ) {
    self.init(in: threat) {
      ($0.objective, $0.steps, $0.restarts, $0.eot) = (objective, steps, restarts, eot)
      $0.targets = objective == .targetedDLR ? targets ?? 9 : nil
      if let rho, threat.norm != .l1 { $0.rho = rho }
      if let schedule { $0.schedule = schedule }
      if let largerRadii, threat.norm == .l1 { $0.largerRadii = largerRadii }
    }
  }
}

extension FAB {
  /// The usual attack with some choices changed.
  public init(
    threat: ThreatModel, targets: Int? = nil, steps: Int = 100, restarts: Int = 1,
    alphaMax: Double = 0.1, eta: Double = 1.05, beta: Double = 0.9
  ) {
    self.init(in: threat) {
      ($0.targets, $0.steps, $0.restarts) = (targets, steps, restarts)
      ($0.alphaMax, $0.eta, $0.beta) = (alphaMax, eta, beta)
    }
  }
}

extension Square {
  /// The usual attack with some choices changed.
  public init(
    threat: ThreatModel, queries: Int = 5000, restarts: Int = 1, pInit: Double = 0.8,
    rescaleSchedule: Bool = false
  ) {
    self.init(in: threat) {
      ($0.queries, $0.restarts, $0.pInit) = (queries, restarts, pInit)
      $0.rescaleSchedule = rescaleSchedule
    }
  }
}

extension AutoAttack {
  /// The usual attack with some choices changed.
  public init(
    threat: ThreatModel, version: Version = .standard, steps: Int = 100, queries: Int = 5000
  ) {
    self.init(in: threat) { ($0.version, $0.steps, $0.queries) = (version, steps, queries) }
  }
}

extension CarliniWagner {
  /// The usual attack with some choices changed.
  public init(
    threat: ThreatModel, iterations: Int = 1000, searchSteps: Int = 9, learningRate: Double = 0.01,
    initialConstant: Double = 1e-3, confidence: Double = 0, abortsEarly: Bool = true
  ) {
    self.init(in: threat) {
      ($0.iterations, $0.searchSteps, $0.learningRate) = (iterations, searchSteps, learningRate)
      ($0.initialConstant, $0.confidence) = (initialConstant, confidence)
      $0.abortsEarly = abortsEarly
    }
  }
}

extension DDN {
  /// The usual attack with some choices changed.
  public init(
    threat: ThreatModel, steps: Int = 100, gamma: Double = 0.05, initialNorm: Double = 1,
    levels: Int = 256
  ) {
    self.init(in: threat) {
      ($0.steps, $0.gamma, $0.initialNorm, $0.levels) = (steps, gamma, initialNorm, levels)
    }
  }
}

extension FMN {
  /// The usual attack with some choices changed.
  public init(
    threat: ThreatModel, steps: Int = 100, alpha: Double = 1, finalAlpha: Double = 0.01,
    gamma: Double = 0.05, finalGamma: Double = 0.001
  ) {
    self.init(in: threat) {
      ($0.steps, $0.alpha, $0.finalAlpha) = (steps, alpha, finalAlpha)
      ($0.gamma, $0.finalGamma) = (gamma, finalGamma)
    }
  }
}

extension TIDIM {
  /// The usual attack with some choices changed.
  public init(
    threat: ThreatModel, steps: Int = 40, variant: Variant = .canonical, stepSize: Double? = nil,
    decay: Double? = nil, kernel: Int = 15, diversity: InputDiversity? = nil
  ) {
    self.init(in: threat) {
      $0.variant = variant
      $0 = $0.usual(in: threat)
      ($0.steps, $0.kernel) = (steps, kernel)
      if let stepSize { $0.stepSize = stepSize }
      if let decay { $0.decay = decay }
      if let diversity {
        ($0.probability, $0.low, $0.high) = (diversity.probability, diversity.low, diversity.high)
      }
    }
  }
}

extension FWA {
  /// The usual attack with some choices changed.
  public init(
    mode: Mode = .frankWolfe, steps: Int = 40, radius: Double? = nil, kernel: Int? = nil,
    gamma: Double? = nil, dualSteps: Int? = nil, stepSize: Double? = nil
  ) {
    let threat = ThreatModel(epsilon: 0)
    self.init(in: threat) {
      $0.mode = mode
      $0 = $0.usual(in: threat)
      $0.steps = steps
      if let radius { $0.radius = radius }
      if let kernel { $0.kernel = kernel }
      if let gamma, mode == .frankWolfe { $0.gamma = gamma }
      if let dualSteps { $0.dualSteps = dualSteps }
      if let stepSize, mode != .frankWolfe { $0.stepSize = stepSize }
    }
  }
}
