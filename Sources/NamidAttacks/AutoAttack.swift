import NamidNetworks
import NamidTorch

/// Four attacks that fail for different reasons, one after another on what is left: AutoAttack (Croce and Hein, ICML
/// 2020), and the authors' two variants of it.
///
/// Every member is given the original images of the samples that no member before it has fooled, and a sample counts as
/// fooled when a fresh forward of the returned image says so.
public struct AutoAttack: Attack, Hashable, Sendable {
  /// Which attacks it consists of.
  public enum Version: String, CaseIterable, Codable, Sendable {
    /// APGD-CE, APGD-T, FAB-T and Square: the version that published figures mean.
    case standard
    /// More restarts, and the attacks without targets too: slower by a half or more, and hardly stronger.
    case plus
    /// APGD-CE and APGD-DLR with 20 evaluations per iterate, for a network that is random.
    case rand
  }

  /// Which attacks.
  public var version: Version
  /// What the attacker may do.
  public var threat: ThreatModel
  /// Steps per start of all members that take steps; the authors' is 100.
  public var steps: Int
  /// Queries of Square; the authors' is 5,000.
  public var queries: Int

  /// An attack with the authors' budget unless given.
  public init(
    threat: ThreatModel, version: Version = .standard, steps: Int = 100, queries: Int = 5000
  ) {
    precondition(
      steps >= 1 && queries >= 1, "AutoAttack with \(steps) steps and \(queries) queries")
    self.version = version
    self.threat = threat
    self.steps = steps
    self.queries = queries
  }

  /// `autoattack` for the standard version with the authors' budget; what differs stands behind.
  public var name: String {
    "autoattack" + (version == .standard ? "" : "-\(version.rawValue)")
      + (steps == 100 ? "" : "-\(steps)")
      + (queries == 5000 || version == .rand ? "" : "-\(queries)q")
  }

  /// What the attacker may do.
  public var ball: ThreatModel? { threat }

  /// The version and all settings of all members, by `member.setting`.
  public var settings: [String: String] {
    var all = ["version": version.rawValue]
    all["members"] = members.map(\.name).joined(separator: ", ")
    for member in members {
      for (key, value) in member.settings { all["\(member.name).\(key)"] = value }
    }
    return all
  }

  /// The attacks in the authors' order, with their settings.
  ///
  /// The standard version for L1 has five restarts of APGD-CE and five targets of APGD-T, both from larger radii.
  public var members: [any Attack] {
    let isL1 = threat.norm == .l1
    let square = Square(threat: threat, queries: queries)
    switch version {
    case .standard:
      return [
        apgd(.crossEntropy, restarts: isL1 ? 5 : 1, largerRadii: isL1),
        apgd(.targetedDLR, targets: isL1 ? 5 : 9, largerRadii: isL1),
        FAB(threat: threat, targets: 9, steps: steps), square,
      ]
    case .plus:
      return [
        apgd(.crossEntropy, restarts: 5), apgd(.dlr, restarts: 5),
        FAB(threat: threat, steps: steps, restarts: 5), square,
        apgd(.targetedDLR), FAB(threat: threat, targets: 9, steps: steps),
      ]
    case .rand:
      return [apgd(.crossEntropy, eot: 20), apgd(.dlr, eot: 20)]
    }
  }

  private func apgd(
    _ objective: APGD.Objective, restarts: Int = 1, eot: Int = 1, targets: Int = 9,
    largerRadii: Bool = false
  ) -> APGD {
    APGD(
      objective, threat: threat, steps: steps, restarts: restarts, eot: eot, targets: targets,
      largerRadii: largerRadii)
  }

  /// What the members do instead of their definitions with so few classes.
  public func fallback(classCount: Int) -> String? {
    let parts = members.compactMap { member in
      member.fallback(classCount: classCount).map { "\(member.name): \($0)" }
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// Attacks a batch with one member after another.
  ///
  /// Of a survivor the image with the largest margin is returned. With the goal `strongest` every member attacks every
  /// sample.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    Search.run(on: classifier, images: images, labels: labels, goal: goal) { search in
      if threat.epsilon.value == 0 { return }
      for member in members {
        let rows = search.survivors
        if rows.isEmpty { return }
        let found = member.run(
          on: classifier, images: rows.images, labels: rows.labels,
          streams: rows.samples.map { streams[$0].keyed(member.name) }, goal: goal)
        search.charge(found.costs, to: rows)
        let logits = search.logits(found.images, of: rows)
        search.note(
          found.images, logits: logits, losses: AttackLoss.margin.values(logits, rows.labels),
          of: rows)
      }
    }
  }
}

extension AutoAttack {
  static let entry = AttackEntry(
    name: "autoattack", number: "steps",
    summary: "AutoAttack: APGD-CE, APGD-T, FAB-T and Square; version=plus, version=rand",
    source: "Croce and Hein, ICML 2020", norms: Norm.allCases
  ) { threat, settings throws(AttackListError) in
    let version = try settings.choice("version", default: Version.standard)
    if version == .plus && threat.norm == .l1 {
      throw settings.problem("version=plus", "is defined for linf and l2 only")
    }
    return AutoAttack(
      threat: threat, version: version, steps: try settings.integer("steps", default: 100),
      queries: try settings.integer("queries", default: 5000))
  }
}
