import NamidAttacks
import NamidEvaluation
import NamidPages

/// A check of a report that was read from a file: contradictions and impossible figures are found.
///
/// Counts and shares must agree, and the specification must have the hash that stands in the report: figures or
/// settings that were changed by hand, or by a fault, are found with some luck and never shown without a word.
struct ReportCheck {
  /// The fault that was found; nil for a sound report.
  let problem: String?

  private static let longestText = 1000
  private static let mostItems = 500
  private static let mostImages = 1_000_000_000
  /// The largest cost that is believed, in passes, queries or seconds.
  private static let mostCost = 1e15

  init(_ report: EvaluationReport) throws {
    problem =
      try Self.textProblem(report) ?? Self.countProblem(report) ?? Self.hashProblem(report)
  }

  private static func textProblem(_ report: EvaluationReport) -> String? {
    let members = report.attacks.flatMap { $0.members ?? [] }
    let settings = (report.attacks.map(\.settings) + members.map(\.settings))
      .map(AttackList.settingTexts)
    let models = [report.model] + (report.source.map { [$0] } ?? [])
    let counts = [
      report.attacks.count, members.count, report.flags?.count ?? 0,
      settings.map(\.count).max() ?? 0,
    ]
    if counts.contains(where: { $0 > mostItems }) || report.attacks.isEmpty {
      return "expected 1 to \(mostItems) attacks and at most as many settings or flags"
    }
    let texts =
      [report.dataset.name, report.dataset.split, report.threat.epsilon.description]
      + models.flatMap { [$0.name, $0.architecture, $0.checkpoint] }
      + report.attacks.flatMap { [$0.name, $0.fallback ?? ""] } + members.map(\.name)
      + settings.flatMap { $0.flatMap { [$0.key, $0.text] } }
      + (report.flags ?? []).flatMap { [$0.attack ?? "", $0.meaning, $0.advice] }
    return texts.contains { $0.utf8.count > longestText }
      ? "one of its texts is longer than \(longestText) bytes" : nil
  }

  private static func countProblem(_ report: EvaluationReport) -> String? {
    let total = report.dataset.count
    guard (1...mostImages).contains(total) else { return "it is about \(total) images" }
    let isShare = { (share: Double, robust: Int) in
      (0...total).contains(robust) && abs(share - Double(robust) / Double(total)) < 1e-9
    }
    for attack in report.attacks {
      guard attack.total == total, isShare(attack.robustAccuracy, attack.robust) else {
        return
          "\(Markdown.oneLine(attack.name)) has \(attack.robust) of \(attack.total) right, said "
          + "to be \(attack.robustAccuracy) of \(total) images"
      }
    }
    let clean = (report.cleanAccuracy * Double(total)).rounded()
    guard (0...1).contains(report.cleanAccuracy), isShare(report.cleanAccuracy, Int(clean)) else {
      return "a clean accuracy of \(report.cleanAccuracy) is no share of \(total) images"
    }
    if let share = report.worstCase?.share {
      guard share.total == total, isShare(share.accuracy, share.robust) else {
        return "its worst case is no share of \(total) images"
      }
    }
    let costs = report.attacks.flatMap { attack in
      [attack.forwards, attack.backwards, attack.queries].map(Double.init) + [attack.seconds]
    }
    guard costs.allSatisfy({ (0...mostCost).contains($0) }) else {
      return "an attack has a cost that nothing can have"
    }
    guard report.model.parameters > 0 else {
      return "its network has \(report.model.parameters) parameters"
    }
    return nil
  }

  private static func hashProblem(_ report: EvaluationReport) throws -> String? {
    let own = try report.hashOfSpecification()
    return own == report.specificationHash
      ? nil : "its specification has the hash \(own), not the one that it says"
  }
}
