import Foundation
import NamidStatistics

/// Notes under a table: figures that are missing, figures that are doubted, and differences from the paper.
package struct TableNotes {
  private let table: TableRecord

  package init(_ table: TableRecord) {
    self.table = table
  }

  /// Titles with their sentences; nothing where there is nothing to say.
  package var lists: [(title: String, items: [String])] {
    var lists: [(title: String, items: [String])] = []
    let missing = grouped { $0.why.map { [$0] } ?? [] }
    if !missing.isEmpty { lists.append(("Not measured, and why:", missing)) }
    let doubts = grouped { $0.runs.flatMap(\.flags) }
    if !doubts.isEmpty { lists.append(("! What the evaluation doubts:", doubts)) }
    if table.paper != nil {
      let title =
        table.differences.isEmpty
        ? "The setting is the paper's, as far as settings say."
        : "How this differs from the paper, so that nobody takes it for a replication:"
      lists.append((title, table.differences))
    }
    return lists
  }

  /// Reasons, each once, with the rows that they concern.
  private func grouped(_ reasons: (CellRecord) -> [String]) -> [String] {
    var found: [(reason: String, rows: [String])] = []
    for row in table.parts.flatMap(\.rows) {
      for reason in row.cells.flatMap(reasons) {
        let place = found.firstIndex { $0.reason == reason } ?? found.count
        if place == found.count { found.append((reason, [])) }
        if !found[place].rows.contains(row.name) { found[place].rows.append(row.name) }
      }
    }
    return found.map { "\($0.reason): \($0.rows.joined(separator: ", "))" }
  }
}

extension TableRecord {
  /// The title with the preset.
  package var heading: String { title + (preset.map { " (preset \($0))" } ?? "") }
}

extension PartRecord {
  /// The heading of the part: data set, ball and unit.
  package var heading: String {
    let unit = unit == .share ? "percent right" : "nats above the lowest reading"
    return "\(name): \(dataset), \(norm) ε \(epsilon); \(unit)"
  }
}

extension ColumnRecord {
  /// The name, with the number of images where they are not all.
  package var heading: String { limit.map { "\(name) (\($0))" } ?? name }
}

extension CellRecord {
  /// The figure for people: `42.1 ± 0.3 (n = 3)`, `42.1 [41.1, 43.1]`, `failed` or `not run`.
  package func text(_ unit: FigureUnit) -> String {
    guard let range = spread(unit) else { return mean(unit) + marks }
    return "\(mean(unit)) \(range)\(marks)"
  }

  /// The figure without its spread: `42.1`, `failed` or `not run`.
  package func mean(_ unit: FigureUnit) -> String {
    guard let summary else { return state == .failed ? "failed" : "not run" }
    return Self.number(summary.mean, unit)
  }

  /// Writes the uncertainty of the figure: `± 0.3 (n = 3)` or `[41.1, 43.1]`; nil where it is not known.
  package func spread(_ unit: FigureUnit) -> String? {
    guard let summary else { return nil }
    if let deviation = summary.standardDeviation {
      return "± \(Self.number(deviation, unit)) (n = \(summary.count))"
    }
    return interval.map { "[\(Self.number($0.low, unit)), \(Self.number($0.high, unit))]" }
  }

  /// Signs for what is doubted or missing.
  package var marks: String {
    (runs.contains { !$0.flags.isEmpty } ? " !" : "")
      + (state == .partial ? " (seeds missing)" : "")
  }

  private static func number(_ value: Double, _ unit: FigureUnit) -> String {
    unit == .share ? String(format: "%.1f", 100 * value) : String(format: "%.3f", value)
  }

  /// The difference to the first row in points: `-0.2 [-0.9, 0.4]`; nil where there is none.
  package var advantage: String? {
    paired.map { paired in
      let ends = 100 * paired.interval
      return String(format: "%+.1f [%.1f, %.1f]", 100 * paired.mean, ends.low, ends.high)
    }
  }

  /// The paper's figure with the difference to it; nil where it has none.
  package var comparison: String? {
    paper.map { paper in
      paper.text + (difference.map { String(format: " (%+.1f)", $0) } ?? "")
    }
  }
}
