import NamidNetworks
import NamidTorch

/// Fast adaptive boundary attack (Croce and Hein, ICML 2020), in L∞, L2 and L1.
///
/// Looks for the nearest image on which the network errs: the boundary to a rival class is linearised, the iterate
/// and the unattacked image are both projected onto it within the box, and the next iterate lies between the two,
/// a little beyond. An iterate that fools the network is drawn back towards the unattacked image.
///
/// ε only decides which images count and, with the goal `.fool`, when a sample is done: as soon as a fooling image
/// within ε is found. The result's `distances` then are upper bounds of what the whole budget would find.
public struct FAB: Attack, Hashable, Sendable {
  /// The norm to be made small, and ε.
  public var threat: ThreatModel
  /// How many rival classes are approached one after the other, those with the largest unattacked logits first.
  ///
  /// Nil for the untargeted attack, which approaches the nearest class at each step, at the price of one gradient
  /// for each rival class.
  public var targets: Int?
  /// Steps per rival and start.
  public var steps: Int
  /// How often each rival is approached; first from the image itself, then from random points at ε/2.
  public var restarts: Int
  /// The largest share that the unattacked image's projection gets in the next iterate.
  public var alphaMax: Double
  /// How far projections go beyond the boundary; 1 is on it.
  public var eta: Double
  /// The share of the way from the unattacked image that is kept of an iterate that fools.
  public var beta: Double

  /// An attack with the paper's settings; nine targets are those of FAB-T in AutoAttack.
  public init(
    threat: ThreatModel, targets: Int? = nil, steps: Int = 100, restarts: Int = 1,
    alphaMax: Double = 0.1, eta: Double = 1.05, beta: Double = 0.9
  ) {
    precondition(
      steps >= 0 && restarts >= 1 && targets ?? 1 >= 1,
      "FAB with \(steps) steps, \(restarts) restarts and \(targets ?? 0) targets")
    self.threat = threat
    self.targets = targets
    self.steps = steps
    self.restarts = restarts
    self.alphaMax = alphaMax
    self.eta = eta
    self.beta = beta
  }

  /// `fab`, or `fab-t` with targets.
  public var name: String { targets == nil ? "fab" : "fab-t" }

  /// What the attacker may do.
  public var ball: ThreatModel? { threat }
  /// Yes.
  public var seeksSmallest: Bool { true }

  /// All settings by name.
  public var settings: [String: String] {
    var settings = [
      "steps": "\(steps)", "restarts": "\(restarts)", "alpha_max": "\(alphaMax)", "eta": "\(eta)",
      "beta": "\(beta)",
    ]
    settings["targets"] = targets.map { "\($0)" }
    return settings
  }

  /// Fewer targets where there are fewer rival classes.
  public func fallback(classCount: Int) -> String? {
    guard let targets, targets > classCount - 1 else { return nil }
    return "\(classCount - 1) targets instead of \(targets)"
  }

  /// Attacks a batch until every sample is fooled within ε or the budget is spent.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    var distances: [Float] = []
    var result = Search.run(on: classifier, images: images, labels: labels, goal: goal) { search in
      let found = NearestErrors(search, threat: threat)
      for rivals in rivals(of: search) {
        for restart in 0..<restarts {
          let rows = search.survivors
          if rows.isEmpty { break }
          let current = start(
            from: rows.images, restart, rows.samples.map { streams[$0] }, rivals?.rank)
          approach(found, from: current, rows: rows, rivals: rivals?.classes)
        }
      }
      distances = found.distances.floats()
    }
    result.distances = distances
    return result
  }
}

extension FAB {
  static let entry = AttackEntry(
    name: "fab", summary: "fast adaptive boundary: the nearest image that fools",
    source: "Croce and Hein, ICML 2020", norms: Norm.allCases
  ) { threat, settings throws(AttackListError) in
    try FAB(threat: threat, targets: nil, &settings)
  }

  static let targetedEntry = AttackEntry(
    name: "fab-t", summary: "FAB towards one rival class after the other, as in AutoAttack",
    source: "Croce and Hein, ICML 2020", norms: Norm.allCases
  ) { threat, settings throws(AttackListError) in
    try FAB(
      threat: threat, targets: try settings.integer("targets", default: 9, maximum: 100_000),
      &settings)
  }

  private init(
    threat: ThreatModel, targets: Int?, _ settings: inout AttackSettings
  ) throws(AttackListError) {
    self.init(
      threat: threat, targets: targets, steps: try settings.integer("steps", default: 100),
      restarts: try settings.integer("restarts", default: 1),
      alphaMax: try settings.real("alpha_max", default: 0.1, in: 0...1),
      eta: try settings.real("eta", default: 1.05, in: 1...10),
      beta: try settings.real("beta", default: 0.9, in: 0...1))
  }
}
