import NamidSettings
import NamidTorch

/// Four attacks that fail for different reasons, one after another on what is left: AutoAttack (Croce and Hein, ICML
/// 2020), and the authors' two variants of it.
///
/// Every member is given the original images of the samples that no member before it has fooled, and a sample counts as
/// fooled when a fresh forward of the returned image says so.
public struct AutoAttack: Attack, Hashable {
  /// The choices of the attack.
  public struct Settings: AttackSettings {
    /// The members.
    public var version = Version.standard
    /// Steps per start of all members that take steps; the authors' is 100.
    public var steps = 100
    /// Queries of Square; the authors' is 5,000.
    public var queries = 5000

    /// The authors' choices.
    public init(in threat: ThreatModel) {}

    /// Refuses counts that cannot work, and the version plus in L1.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      try require(
        version != .plus || threat.norm != .l1, "version", "is defined for linf and l2 only")
      try require(steps, "steps")
      try require(queries, "queries")
    }
  }

  /// The list of members.
  public enum Version: String, CaseIterable, Codable, Sendable {
    /// APGD-CE, APGD-T, FAB-T and Square: the version that published figures mean.
    case standard
    /// More restarts, and the attacks without targets too: slower by a half or more, and hardly stronger.
    case plus
    /// APGD-CE and APGD-DLR with 20 evaluations per iterate, for a network that is random.
    case rand
  }

  /// The choices made.
  public var settings: Settings
  /// The ball.
  public var threat: ThreatModel

  /// An attack with these choices.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// `autoattack` for the standard version with the authors' budget; what differs stands behind.
  public var name: String {
    let (version, steps, queries) = (settings.version, settings.steps, settings.queries)
    return "autoattack" + (version == .standard ? "" : "-\(version.rawValue)")
      + (steps == 100 ? "" : "-\(steps)")
      + (queries == 5000 || version == .rand ? "" : "-\(queries)q")
  }

  /// The attacks in the authors' order, with their settings.
  ///
  /// The standard version for L1 has five restarts of APGD-CE and five targets of APGD-T, both from larger radii.
  public var members: [any Attack] {
    let isL1 = threat.norm == .l1
    let square = Square(in: threat) { $0.queries = settings.queries }
    switch settings.version {
    case .standard:
      return [
        apgd(.crossEntropy, restarts: isL1 ? 5 : 1, largerRadii: isL1),
        apgd(.targetedDLR, targets: isL1 ? 5 : 9, largerRadii: isL1), fab(targets: 9), square,
      ]
    case .plus:
      return [
        apgd(.crossEntropy, restarts: 5), apgd(.dlr, restarts: 5), fab(restarts: 5), square,
        apgd(.targetedDLR, targets: 9), fab(targets: 9),
      ]
    case .rand:
      return [apgd(.crossEntropy, eot: 20), apgd(.dlr, eot: 20)]
    }
  }

  private func apgd(
    _ objective: APGD.Objective, restarts: Int = 1, eot: Int = 1, targets: Int? = nil,
    largerRadii: Bool = false
  ) -> APGD {
    APGD(in: threat) {
      $0.objective = objective
      $0.steps = settings.steps
      $0.restarts = restarts
      $0.eot = eot
      $0.targets = targets
      if largerRadii { $0.largerRadii = true }
    }
  }

  private func fab(targets: Int? = nil, restarts: Int = 1) -> FAB {
    FAB(in: threat) {
      $0.targets = targets
      $0.steps = settings.steps
      $0.restarts = restarts
    }
  }

  /// The passes of all members, and one forward for the image that each hands over.
  public func budget(classCount: Int) -> Cost {
    if threat.epsilon.value == 0 { return Cost(forwards: 1) }
    return members.reduce(Cost(forwards: 1)) {
      $0 + $1.budget(classCount: classCount) + Cost(forwards: 1)
    }
  }

  /// The members' own sentences on so few classes.
  public func fallback(classCount: Int) -> String? {
    let parts = members.compactMap { member in
      member.fallback(classCount: classCount).map { "\(member.name): \($0)" }
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// Attacks with one member after another.
  ///
  /// Of a survivor the image with the largest margin is returned. With the goal `strongest` every member attacks every
  /// sample.
  public func attack(_ search: Search) {
    if threat.epsilon.value == 0 { return }
    for member in members {
      let rows = search.survivors
      if rows.isEmpty { return }
      let found = member.run(
        on: search.classifier, images: rows.images, labels: rows.labels,
        streams: rows.samples.map { search.streams[$0].keyed(member.name) }, goal: search.goal)
      search.charge(found.costs, to: rows)
      let logits = search.logits(found.images, of: rows)
      search.note(
        found.images, logits: logits, losses: AttackLoss.margin.values(logits, rows.labels),
        of: rows)
    }
  }

  static let entry = AttackEntry(
    AutoAttack.self, name: "autoattack", number: "steps",
    summary: "AutoAttack: APGD-CE, APGD-T, FAB-T and Square; version=plus, version=rand",
    source: "Croce and Hein, ICML 2020", norms: Norm.allCases)
}
