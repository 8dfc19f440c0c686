import NamidSettings
import NamidTorch

/// Projected gradient descent that adapts its step to its progress: Auto-PGD (Croce and Hein, ICML 2020; in L1 ICML
/// 2021), as strong as the authors' code.
///
/// Differences between code and paper, and quirks of the code:
/// - checkpoints are the code's, for every number of steps (`schedule=paper` for the formula);
/// - the first window compares with the loss at the start; the code compares with 0, which counts one rise too many
///   for cross-entropy and hardly matters;
/// - a row sent back to its best iterate keeps the iterate before, so that momentum jumps there, as in the code: that
///   is what published robustness was measured with;
/// - with several draws per iterate (`eot`) their mean decides; the code lets the last draw decide alone;
/// - a sample leaves with its first image that fools, and the gradient at the last iterate is not taken: neither
///   changes a verdict;
/// - random starts are each sample's own; the code draws one tensor per batch, the same for every batch.
public struct APGD: Attack, Hashable {
  /// The choices of the attack; the usual ones are those of AutoAttack's standard version.
  public struct Settings: AttackSettings {
    /// The loss that is maximised.
    public var objective = Objective.crossEntropy
    /// Gradient steps per start.
    public var steps = 100
    /// Starts, for each target, on the samples that are not fooled yet.
    public var restarts = 1
    /// Evaluations of the network per iterate, for one that is random.
    public var eot = 1
    /// Classes that `targetedDLR` tries, by rank in the unattacked image's logits; all others if there are fewer.
    public var targets: Int?
    /// The share of a window's steps that must raise the loss, lest the step be halved; nil in L1.
    public var rho: Double?
    /// The steps at which progress is looked at; nil in L1.
    public var schedule: APGDSchedule?
    /// In L1: a start takes 30 % of its steps in three times the radius and 30 % in twice the radius before; else nil.
    public var largerRadii: Bool?

    /// The usual choices on cross-entropy.
    public init(in threat: ThreatModel) {
      if threat.norm == .l1 { largerRadii = false } else { (rho, schedule) = (0.75, .code) }
    }

    /// Refuses counts that cannot work, and choices without a meaning in the norm or for the objective.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      try require(steps, "steps")
      try require(restarts, "restarts")
      try require(eot, "eot")
      let (isL1, isTargeted) = (threat.norm == .l1, objective == .targetedDLR)
      if let targets { try require(targets, "targets") }
      try require(isTargeted || targets == nil, "targets", "is for the objective t alone")
      try require(!isL1 || rho == nil, "rho", "has no meaning in l1")
      if let rho { try require(rho, "rho", in: 0...1) }
      try require(!isL1 || schedule == nil, "schedule", "has no meaning in l1")
      try require(isL1 || largerRadii == nil, "largerRadii", "is for l1 alone")
    }
  }

  /// The loss that is maximised.
  public enum Objective: String, CaseIterable, Codable, Sendable {
    /// Cross-entropy of the label.
    case crossEntropy = "ce"
    /// Difference of logits ratio; with two classes the margin.
    case dlr
    /// Difference of logits ratio towards one other class after another; with fewer than four classes z_t − z_y.
    case targetedDLR = "t"
  }

  /// The choices made.
  public var settings: Settings
  /// The ball.
  public var threat: ThreatModel

  /// An attack with these choices.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// `apgd-ce`, `apgd-dlr` or `apgd-t`, with the number of steps unless it is the usual 100.
  public var name: String {
    "apgd-\(settings.objective.rawValue)" + (settings.steps == 100 ? "" : "-\(settings.steps)")
  }

  /// The number of classes to approach one after the other, 1 for the objectives without targets.
  private func targetCount(_ classCount: Int) -> Int {
    settings.objective == .targetedDLR ? min(settings.targets ?? 9, classCount - 1) : 1
  }

  /// For each start `eot` gradients a step; one more forward for its last image and for each larger radius before.
  public func budget(classCount: Int) -> Cost {
    if threat.epsilon.value == 0 { return Cost(forwards: 1) }
    let starts = settings.restarts * targetCount(classCount) * settings.eot
    return Cost(
      forwards: 1 + starts * (settings.steps + stages.count),
      backwards: starts * settings.steps)
  }

  /// A sentence on the loss in place of DLR, and on the number of targets, with few classes.
  public func fallback(classCount: Int) -> String? {
    switch settings.objective {
    case .crossEntropy: return nil
    case .dlr:
      return classCount < 3 ? "the margin instead of DLR, which needs three classes" : nil
    case .targetedDLR:
      let loss = "the difference of two logits instead of targeted DLR, which needs four classes"
      let (count, wanted) = (targetCount(classCount), settings.targets ?? 9)
      let parts = [
        classCount < 4 ? loss : nil,
        count < wanted ? "\(count) targets instead of \(wanted)" : nil,
      ].compactMap(\.self)
      return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
  }

  /// Climbs from each start; a sample leaves the work as soon as it is fooled, and further starts go to survivors only.
  public func attack(_ search: Search) {
    if threat.epsilon.value == 0 { return }
    let streams = search.streams.map { $0.keyed("start") }
    let objective = settings.objective
    switch objective {
    case .crossEntropy, .dlr:
      let loss: AttackLoss = objective == .dlr ? .dlr : .crossEntropy
      for restart in 0..<settings.restarts {
        start(search, streams.map { $0.keyed(restart) }) { loss.values($0, $1.labels) }
      }
    case .targetedDLR:
      for (rank, target) in search.rivals(settings.targets ?? 9).enumerated() {
        for restart in 0..<settings.restarts {
          start(search, streams.map { $0.keyed(rank).keyed(restart) }) { logits, rows in
            AttackLoss.targetedDLR(
              logits, rows.labels, towards: target.indexSelect(rows.places))
          }
        }
      }
    }
  }

  static let crossEntropyEntry = entry(.crossEntropy, "Auto-PGD on cross-entropy")
  static let dlrEntry = entry(.dlr, "Auto-PGD on the difference of logits ratio")
  static let targetedEntry = entry(
    .targetedDLR, "Auto-PGD on the difference of logits ratio towards each of 9 classes")

  private static func entry(_ objective: Objective, _ summary: String) -> AttackEntry {
    AttackEntry(
      APGD.self, name: "apgd-\(objective.rawValue)", number: "steps", summary: summary,
      source: "Croce and Hein, ICML 2020 and 2021", norms: Norm.allCases
    ) {
      $0.objective = objective
      if objective == .targetedDLR { $0.targets = 9 }
    }
  }
}

/// The steps after which APGD looks at its progress and may halve the step (L∞ and L2).
///
/// Both begin with 22 % of the steps and shorten the windows to 6 %; they agree for 100 and 200 steps.
public enum APGDSchedule: String, CaseIterable, Codable, Sendable {
  /// Windows of whole steps, as in the authors' code: what published figures were made with. Rounding down makes
  /// the windows of short runs so narrow that the step is halved almost every time.
  case code
  /// The paper's formula: w_j = ⌈p_j·n⌉ with p_0 = 0, p_1 = 0.22, p_{j+1} = p_j + max(p_j − p_{j−1} − 0.03, 0.06).
  case paper

  /// The checkpoints among the steps 1 to `steps`, rising, each once.
  public func checkpoints(steps: Int) -> [Int] {
    let unit = self == .code ? max(steps * 3 / 100, 1) : 3
    let narrowest = self == .code ? max(steps * 6 / 100, 1) : 6
    let end = self == .code ? steps : 100
    // In steps for the code, in hundredths of the run for the paper: whole numbers, so nothing is rounded twice.
    var window = self == .code ? max(steps * 22 / 100, 1) : 22
    var place = window
    var found: [Int] = []
    while place <= end {
      let step = self == .code ? place : (place * steps + 99) / 100
      if step != found.last { found.append(step) }
      window = max(window - unit, narrowest)
      place += window
    }
    return found
  }
}
