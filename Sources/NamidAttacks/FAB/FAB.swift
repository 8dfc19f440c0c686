import NamidSettings
import NamidTorch

/// Fast adaptive boundary attack (Croce and Hein, ICML 2020), in L∞, L2 and L1.
///
/// Looks for the nearest image on which the network errs: the boundary to a rival class is linearised, the iterate
/// and the unattacked image are both projected onto it within the box, and the next iterate lies between the two,
/// a little beyond. An iterate that fools the network is drawn back towards the unattacked image.
///
/// ε only decides which images count and, with the goal `.fool`, when a sample is done: as soon as a fooling image
/// within ε is found. The result's `distances` then are upper bounds of what the whole budget would find.
public struct FAB: Attack, Hashable {
  /// The choices of the attack; the usual ones are the paper's, without targets.
  public struct Settings: AttackSettings {
    /// Rival classes that are approached one after the other, those with the largest unattacked logits first.
    ///
    /// Nil for the untargeted attack, which approaches the nearest class at each step, at the price of one gradient
    /// for each rival class.
    public var targets: Int?
    /// Steps per rival and start.
    public var steps = 100
    /// Starts for each rival; first from the image itself, then from random points at ε/2.
    public var restarts = 1
    /// The largest share that the unattacked image's projection gets in the next iterate.
    public var alphaMax = 0.1
    /// The reach of projections beyond the boundary; 1 is on it.
    public var eta = 1.05
    /// The share of the way from the unattacked image that is kept of an iterate that fools.
    public var beta = 0.9

    /// The paper's choices.
    public init(in threat: ThreatModel) {}

    /// Refuses counts and shares that cannot work.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      if let targets { try require(targets, "targets", in: 1...100_000) }
      try require(steps, "steps", in: 0...1_000_000)
      try require(restarts, "restarts")
      try require(alphaMax, "alphaMax", in: 0...1)
      try require(eta, "eta", in: 1...10)
      try require(beta, "beta", in: 0...1)
    }
  }

  /// The choices made.
  public var settings: Settings
  /// The norm to be made small, and ε.
  public var threat: ThreatModel

  /// An attack with these choices.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// `fab`, or `fab-t` with targets.
  public var name: String { settings.targets == nil ? "fab" : "fab-t" }

  /// True: the nearest image that fools is sought.
  public var seeksSmallest: Bool { true }

  /// Two forwards a step, and one gradient for each class that may be the rival.
  public func budget(classCount: Int) -> Cost {
    let rivals = settings.targets.map { min($0, classCount - 1) } ?? 1
    let steps = settings.steps * settings.restarts * rivals
    return Cost(
      forwards: 1 + 2 * steps, backwards: steps * (settings.targets == nil ? classCount - 1 : 1))
  }

  /// Fewer targets where there are fewer rival classes.
  public func fallback(classCount: Int) -> String? {
    guard let targets = settings.targets, targets > classCount - 1 else { return nil }
    return "\(classCount - 1) targets instead of \(targets)"
  }

  /// Approaches the boundary until every sample is fooled within ε or the budget is spent.
  public func attack(_ search: Search) {
    let found = NearestErrors(search, threat: threat)
    for rivals in rivals(of: search) {
      for restart in 0..<settings.restarts {
        let rows = search.survivors
        if rows.isEmpty { break }
        let current = start(
          from: rows.images, restart, rows.samples.map { search.streams[$0] }, rivals?.rank)
        approach(found, from: current, rows: rows, rivals: rivals?.classes)
      }
    }
    search.smallest = SmallestFound(distances: found.distances.floats())
  }

  static let entry = AttackEntry(
    FAB.self, name: "fab", summary: "fast adaptive boundary: the nearest image that fools",
    source: "Croce and Hein, ICML 2020", norms: Norm.allCases)

  static let targetedEntry = AttackEntry(
    FAB.self, name: "fab-t",
    summary: "FAB towards one rival class after the other, as in AutoAttack",
    source: "Croce and Hein, ICML 2020", norms: Norm.allCases
  ) { $0.targets = 9 }
}
