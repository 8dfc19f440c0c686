import NamidInformation
import NamidLaboratory
import NamidSettings
import NamidTerminal

/// The figures of `namid mi compare` for people.
struct CompareText {
  let report: ComparisonReport

  var text: String {
    var lines = ["\(report.setting.summary); spec \(report.specificationHash)"]
    lines.append(report.setting.batchSummary)
    for reading in report.attacks.first?.readings ?? [] {
      lines.append("\(reading.role.rawValue): \(reading.estimators.summary)")
      lines += reading.remarks.map { "remark: these were \($0)" }
    }
    return lines.map { $0 + "\n" }.joined() + report.attacks.map(text).joined()
  }

  private func text(_ comparison: AttackComparison) -> String {
    "\n\(comparison.attack.line(selecting: comparison.selected))\n"
      + InformationKind.allCases.map { table(comparison, $0) }.joined(separator: "\n")
      + "AUC: share of pairs in the expected order, 0.5 is none; all with 95 % intervals\n"
      + comparison.findings.map {
        "- \($0.question) \($0.answer.rawValue): \($0.figures)\n"
      }.joined()
  }

  private func table(_ comparison: AttackComparison, _ kind: InformationKind) -> String {
    let isNatural = kind == .natural
    var table = TextTable([
      "\(kind.rawValue) MI", "unattacked", "attacked", isNatural ? "samples fall" : "samples rise",
      "AUC, all", "AUC, selected", "spec",
    ])
    for reading in comparison.readings {
      let own = reading[kind]
      table.append([
        reading.role.rawValue, Figures.nats(own.summary.clean),
        Figures.nats(own.summary.attacked),
        Figures.percent(isNatural ? own.summary.falls : own.summary.rises),
        Figures.area(own.separation), Figures.area(own.selected), reading.specificationHash,
      ])
    }
    return table.text
  }
}

extension AttackRecord {
  /// Puts the attack and its effect in one line, with the share of samples that Equation 6 selects.
  func line(selecting selected: SampleShare) -> String {
    "\(name) (goal \(goal.rawValue)): right \(Figures.percent(cleanAccuracy)) "
      + "→ \(Figures.percent(robustAccuracy)); Equation 6 selects \(selected.count) of "
      + "\(selected.total)"
  }
}
