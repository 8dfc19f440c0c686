import NamidTerminal

/// Checks of what attacks came to.
enum VerdictChecks {
  /// The share of samples by which attacks without gradients may be ahead.
  static let tolerance = 0.002

  /// Flags an attack without gradients that fools more samples than all attacks with gradients together.
  ///
  /// An attack is one or the other by its ledger: it made queries and no gradients, or gradients. A member of an
  /// ensemble counts by what it fooled of what the members with gradients before it had left.
  static func queriesStronger(_ outcomes: [Evaluator.Outcome]) -> [Diagnosis] {
    let ahead = outcomes.flatMap(membersAhead) + attacksAhead(outcomes)
    return ahead.filter { $0.share > tolerance }.map { name, share in
      Diagnosis(
        name: .queriesStronger, attack: name, value: share, threshold: tolerance,
        meaning:
          "without gradients it brings robust accuracy \(shortNumber(100 * share)) points below the attacks "
          + "with gradients: these are masked, or those attacks too weak",
        advice:
          "give the attacks with gradients more steps; where that changes nothing, do not trust them, "
          + "and attack through a differentiable stand-in for what masks the gradients")
    }
  }

  private static func membersAhead(
    _ outcome: Evaluator.Outcome
  ) -> [(name: String, share: Double)] {
    let report = outcome.report
    let members = report.members ?? []
    return members.enumerated().compactMap { place, member in
      guard isQuery(member.cost.queries, member.cost.backwards),
        members[..<place].contains(where: { $0.cost.backwards > 0 })
      else { return nil }
      return (
        "\(report.name): \(member.name)", Double(member.fooled) / Double(max(report.total, 1))
      )
    }
  }

  private static func attacksAhead(
    _ outcomes: [Evaluator.Outcome]
  ) -> [(name: String, share: Double)] {
    let gradient = outcomes.filter { $0.report.backwards > 0 }
    guard let first = gradient.first else { return [] }
    let standing = first.isRobust.indices.filter { sample in
      gradient.allSatisfy { $0.isRobust[sample] }
    }
    return outcomes.filter { isQuery($0.report.queries, $0.report.backwards) }.map { outcome in
      let robust = Double(standing.count - outcome.report.robust)
      return (outcome.report.name, robust / Double(max(outcome.report.total, 1)))
    }
  }

  private static func isQuery(_ queries: Int, _ backwards: Int) -> Bool {
    queries > 0 && backwards == 0
  }
}
