import NamidNetworks
import NamidTorch

/// Projected gradient descent that adapts its step to its progress: Auto-PGD (Croce and Hein, ICML 2020; in L1 ICML
/// 2021), as strong as the authors' code.
///
/// Where code and paper differ, or the code has a quirk:
/// - checkpoints are the code's, for every number of steps (`schedule=paper` for the formula);
/// - the first window compares with the loss at the start; the code compares with 0, which counts one rise too many
///   for cross-entropy and hardly matters;
/// - a row sent back to its best iterate keeps the iterate before, so that momentum jumps there, as in the code: that is
///   what published robustness was measured with;
/// - with several draws per iterate (`eot`) their mean decides; the code lets the last draw decide alone;
/// - a sample leaves with its first image that fools, and the gradient at the last iterate is not taken: neither
///   changes a verdict;
/// - random starts are each sample's own; the code draws one tensor per batch, the same for every batch.
///
/// A sample that is never fooled costs 1 + starts·eot·(steps + 1) forwards and starts·eot·steps backwards, where starts
/// are restarts times targets; with larger radii two more forwards per start.
public struct APGD: Attack, Hashable, Sendable {
  /// What is maximised.
  public enum Objective: String, CaseIterable, Codable, Sendable {
    /// Cross-entropy of the label.
    case crossEntropy = "ce"
    /// Difference of logits ratio; with two classes the margin.
    case dlr
    /// Difference of logits ratio towards one other class after another; with fewer than four classes z_t − z_y.
    case targetedDLR = "t"
  }

  /// What is maximised.
  public var objective: Objective
  /// What the attacker may do.
  public var threat: ThreatModel
  /// Gradient steps per start.
  public var steps: Int
  /// How often the attack starts, for each target, on the samples that it has not fooled.
  public var restarts: Int
  /// The share of a window's steps that must raise the loss, lest the step be halved (not in L1).
  public var rho: Double
  /// Evaluations of the network per iterate, for one that is random.
  public var eot: Int
  /// How many classes `targetedDLR` tries, by rank in the unattacked image's logits; all others if there are fewer.
  public var targets: Int
  /// When progress is looked at (not in L1).
  public var schedule: APGDSchedule
  /// Whether a start in L1 takes 30 % of its steps in three times the radius and 30 % in twice the radius before.
  public var largerRadii: Bool

  /// An attack with the settings of AutoAttack's standard version unless given.
  public init(
    _ objective: Objective, threat: ThreatModel, steps: Int = 100, restarts: Int = 1,
    rho: Double = 0.75, eot: Int = 1, targets: Int = 9, schedule: APGDSchedule = .code,
    largerRadii: Bool = false
  ) {
    precondition(
      steps >= 1 && restarts >= 1 && eot >= 1 && targets >= 1,
      "APGD with \(steps) steps, \(restarts) restarts, \(eot) draws and \(targets) targets")
    self.objective = objective
    self.threat = threat
    self.steps = steps
    self.restarts = restarts
    self.rho = rho
    self.eot = eot
    self.targets = targets
    self.schedule = schedule
    self.largerRadii = largerRadii
  }

  /// `apgd-ce`, `apgd-dlr` or `apgd-t`, with the number of steps unless it is the usual 100.
  public var name: String { "apgd-\(objective.rawValue)" + (steps == 100 ? "" : "-\(steps)") }

  /// What the attacker may do.
  public var ball: ThreatModel? { threat }

  /// All settings by name; those without a meaning for the objective or the norm are left out.
  public var settings: [String: String] {
    var all = ["steps": "\(steps)", "restarts": "\(restarts)", "eot": "\(eot)"]
    all["loss"] = objective == .targetedDLR ? "targeted-dlr" : objective.rawValue
    if objective == .targetedDLR { all["targets"] = "\(targets)" }
    if threat.norm == .l1 {
      all["larger_radii"] = "\(largerRadii)"
    } else {
      all["rho"] = "\(rho)"
      all["schedule"] = schedule.rawValue
    }
    return all
  }

  /// What takes the place of DLR, and how many targets there are, with few classes.
  public func fallback(classCount: Int) -> String? {
    switch objective {
    case .crossEntropy: return nil
    case .dlr:
      return classCount < 3 ? "the margin instead of DLR, which needs three classes" : nil
    case .targetedDLR:
      let loss = "the difference of two logits instead of targeted DLR, which needs four classes"
      let count = classCount - 1 < targets ? "\(classCount - 1) targets instead of \(targets)" : nil
      let parts = [classCount < 4 ? loss : nil, count].compactMap(\.self)
      return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
  }

  /// Attacks a batch; a sample leaves the work as soon as it is fooled, and further starts go to survivors only.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    Search.run(on: classifier, images: images, labels: labels, goal: goal) { search in
      if threat.epsilon.value == 0 { return }
      let streams = streams.map { $0.keyed("start") }
      switch objective {
      case .crossEntropy, .dlr:
        let loss: AttackLoss = objective == .dlr ? .dlr : .crossEntropy
        for restart in 0..<restarts {
          start(search, streams.map { $0.keyed(restart) }) { loss.values($0, $1.labels) }
        }
      case .targetedDLR:
        for (rank, target) in search.rivals(targets).enumerated() {
          for restart in 0..<restarts {
            start(search, streams.map { $0.keyed(rank).keyed(restart) }) { logits, rows in
              AttackLoss.targetedDLR(
                logits, rows.labels, towards: target.indexSelect(rows.places))
            }
          }
        }
      }
    }
  }
}

extension APGD {
  /// The three attacks, by name.
  static let entries = [
    entry(.crossEntropy, "Auto-PGD on cross-entropy"),
    entry(.dlr, "Auto-PGD on the difference of logits ratio"),
    entry(.targetedDLR, "Auto-PGD on the difference of logits ratio towards each of 9 classes"),
  ]

  private static func entry(_ objective: Objective, _ summary: String) -> AttackEntry {
    AttackEntry(
      name: "apgd-\(objective.rawValue)", number: "steps", summary: summary,
      source: "Croce and Hein, ICML 2020 and 2021", norms: Norm.allCases
    ) { threat, settings throws(AttackListError) in
      var attack = APGD(
        objective, threat: threat, steps: try settings.integer("steps", default: 100),
        restarts: try settings.integer("restarts", default: 1),
        eot: try settings.integer("eot", default: 1))
      if objective == .targetedDLR { attack.targets = try settings.integer("targets", default: 9) }
      if threat.norm == .l1 {
        attack.largerRadii = try settings.flag("larger_radii", default: false)
      } else {
        attack.rho = try settings.real("rho", default: 0.75, in: 0...1)
        attack.schedule = try settings.choice("schedule", default: .code)
      }
      return attack
    }
  }
}
