import Foundation
import NamidEvaluation
import NamidFiles
import NamidSettings
import NamidStatistics

/// Evaluations as one table: a part for all that used the same images and the same ball.
package struct EvaluationTables {
  private let evaluations: [StoredEvaluation]

  package init(_ evaluations: [StoredEvaluation]) {
    self.evaluations = evaluations
  }

  /// The table; nil without evaluations.
  package var table: TableRecord? {
    if evaluations.isEmpty { return nil }
    let groups = Dictionary(grouping: evaluations.indices) { key(of: evaluations[$0].report) }
    let parts = groups.values.sorted { $0[0] < $1[0] }.map { places in
      part(of: places.map { evaluations[$0] })
    }
    return TableRecord(
      name: "evaluations", title: "Measurements", about: "", preset: nil, paper: nil,
      differences: [], parts: parts)
  }

  private func key(of report: EvaluationReport) -> [String] {
    [report.dataset.fingerprint, report.threat.norm.rawValue, "\(report.threat.epsilon.value)"]
  }

  private func part(of group: [StoredEvaluation]) -> PartRecord {
    var columns: [ColumnRecord] = []
    var names: [String] = []
    for evaluation in group {
      for (column, attack) in Self.named(evaluation.report.attacks) {
        let column = ColumnRecord(name: column, attack: attack.name, limit: nil)
        if !columns.contains(column) { columns.append(column) }
      }
      let name = Self.name(of: evaluation.report)
      if !names.contains(name) { names.append(name) }
    }
    let rows = names.map { name in
      let own = group.filter { Self.name(of: $0.report) == name }
      return RowRecord(
        name: name, defense: "", cells: columns.map { Self.cell(of: $0.name, own) })
    }
    let report = group[0].report
    return PartRecord(
      name: "\(report.dataset.count) \(report.dataset.split) images",
      dataset: report.dataset.name, norm: report.threat.norm.rawValue,
      epsilon: report.threat.epsilon.description, unit: .share, hasCheckpoints: false,
      columns: columns,
      rows: rows)
  }

  package static func name(of report: EvaluationReport) -> String {
    let source = report.source.map { ", images made on \($0.name)" } ?? ""
    return "\(report.model.name), \(report.model.checkpoint)\(source)"
  }

  private static func named(_ attacks: [AttackReport]) -> [(name: String, attack: AttackReport)] {
    Array(zip(AttackReport.distinctNames(attacks.map(\.name)), attacks))
  }

  /// Makes a cell from the last of all evaluations with an attack.
  private static func cell(of attack: String, _ evaluations: [StoredEvaluation]) -> CellRecord {
    var cell = CellRecord(column: attack, checkpoint: .latest, state: .notRun, runs: [])
    for evaluation in evaluations {
      let attacks = Self.named(evaluation.report.attacks)
      guard let found = attacks.first(where: { $0.name == attack })?.attack else { continue }
      cell.state = .measured
      cell.summary = SampleSummary([found.robustAccuracy])
      cell.interval = found.interval
      cell.intervalOver = "images"
      cell.runs = [
        CellRecord.Run(
          seed: evaluation.report.seed, value: found.robustAccuracy, interval: found.interval,
          count: found.total, checkpoint: evaluation.report.model.checkpoint,
          file: evaluation.url.path, specificationHash: evaluation.report.specificationHash,
          flags: (evaluation.report.flags ?? []).map(\.name.rawValue))
      ]
    }
    return cell
  }
}
