import Foundation
import NamidEvaluation
import NamidLaboratory
import NamidSettings
import NamidTerminal

/// An evaluation's figures for people.
struct EvaluationText {
  let report: EvaluationReport

  var text: String {
    let lines = [head] + notes + warnings
    return lines[0] + "\n" + table.text + lines.dropFirst().map { $0 + "\n" }.joined()
  }

  private var head: String {
    "\(report.dataset.name), \(report.dataset.count) \(report.dataset.split) images; "
      + "\(report.threat.norm.rawValue) ε \(report.threat.epsilon); \(report.model.checkpoint)"
      + (report.source.map { "; images made on \($0.name), \($0.checkpoint)" } ?? "")
      + "; spec \(report.specificationHash)"
  }

  // MARK: The table

  private var hasQueries: Bool { report.attacks.contains { $0.queries > 0 } }
  private var isTransfer: Bool { report.source != nil }

  private var table: TextTable {
    let optional = (hasQueries ? ["queries"] : []) + (isTransfer ? ["of those right clean"] : [])
    var table = TextTable(
      ["attack", "right", "95 % interval", "images", "forwards", "backwards", "seconds"] + optional)
    for attack in report.attacks {
      table.append(row(of: attack))
      for member in attack.members ?? [] { table.append(row(of: member, total: attack.total)) }
    }
    if let worst = report.worstCase {
      let share = worst.share
      let cells = [
        "worst case of all", Figures.percent(share.accuracy), Figures.ends(of: share.interval),
        "\(share.robust)/\(share.total)",
      ]
      table.append(cells + Array(repeating: "", count: 3 + optional.count))
    }
    return table
  }

  private func row(of attack: AttackReport) -> [String] {
    let cells = [
      attack.name, Figures.percent(attack.robustAccuracy), Figures.ends(of: attack.interval),
      "\(attack.robust)/\(attack.total)", "\(attack.forwards)", "\(attack.backwards)",
      String(format: "%.1f", attack.seconds),
    ]
    return cells + (hasQueries ? ["\(attack.queries)"] : [])
      + (isTransfer ? [attack.cleanRight.map { Figures.percent($0.accuracy) } ?? ""] : [])
  }

  private func row(of member: MemberReport, total: Int) -> [String] {
    let cells = [
      "- \(member.name)", Figures.percent(Double(member.robust) / Double(max(total, 1))), "",
      "\(member.robust)/\(total)", "\(member.cost.forwards)", "\(member.cost.backwards)",
      String(format: "%.1f", member.seconds),
    ]
    return cells + (hasQueries ? ["\(member.cost.queries)"] : []) + (isTransfer ? [""] : [])
  }

  // MARK: Below the table

  private var notes: [String] {
    report.attacks.flatMap { attack -> [String] in
      var lines: [String] = []
      if let reading = attack.minimumNorm {
        let size = { (value: Double?) in value.map { $0.isFinite ? shortNumber($0) : "∞" } ?? "–" }
        lines.append(
          "\(attack.name): median size \(size(reading.medianAmongRight)) among images right "
            + "unattacked, \(size(reading.median)) among all; \(Figures.percent(reading.unbounded)) withstood "
            + "any size")
      }
      if let refused = attack.refused, refused.count > 0 {
        let reasons = [
          ("still right", refused.label), ("too large", refused.norm),
          ("outside [0, 1]", refused.box), ("not finite", refused.notFinite),
        ]
        let list = reasons.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        lines.append(
          "\(attack.name): \(refused.count) of its claims did not stand the check: "
            + list.joined(separator: ", "))
      }
      return lines
    }
  }

  private var warnings: [String] {
    (report.flags ?? []).map { flag in
      "warning: \(flag.name.rawValue)\(flag.attack.map { " (\($0))" } ?? ""): \(flag.meaning); "
        + flag.advice
    }
  }
}

/// The figures of several runs for people: each run's table, then what they came to.
struct RepeatedText {
  let report: RepeatedReport

  var text: String {
    let runs = report.runs.map { "\($0.model.name)\n" + EvaluationText(report: $0).text + "\n" }
    return runs.joined()
      + "\(report.runs.count) runs, mean ± standard deviation between runs (percent)\n" + table.text
  }

  private var table: TextTable {
    var table = TextTable(["attack", "right", "least", "most"])
    for (place, line) in report.summary.enumerated() {
      let values = report.runs.compactMap { run in
        place < run.attacks.count
          ? run.attacks[place].robustAccuracy : run.worstCase?.share.accuracy
      }
      table.append([
        line.name, line.robustAccuracy.text(times: 100, digits: 1),
        Figures.percent(values.min() ?? .nan), Figures.percent(values.max() ?? .nan),
      ])
    }
    return table
  }
}
