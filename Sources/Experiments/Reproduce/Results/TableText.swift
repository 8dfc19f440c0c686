import Foundation
import Records

/// A table's figures as people read them: on a terminal, in Markdown, CSV or LaTeX.
public struct TableText {
  private let table: TableRecord

  /// The texts of a table.
  public init(_ table: TableRecord) {
    self.table = table
  }

  /// For a terminal.
  public var text: String {
    let parts = table.parts.map { "\(Self.heading(of: $0))\n" + grid($0, links: false).text }
    return ([head] + parts).joined(separator: "\n") + notes(bullet: "  ")
  }

  /// As Markdown; each figure is a link to its result.
  public var markdown: String {
    let parts = table.parts.map {
      "### \(Self.heading(of: $0))\n\n" + grid($0, links: true).markdown
    }
    return (["## \(head)"] + parts).joined(separator: "\n") + notes(bullet: "* ")
  }

  /// The names of the columns of `csv`.
  public static let csvHeader =
    "table,preset,part,dataset,norm,epsilon,row,checkpoint,column,attack,unit,state,mean,sd,n,low,high,"
    + "interval_over,paper,paper_sd,difference,file,spec_hash,why\n"

  /// One line per cell, without the header.
  public var csv: String {
    table.parts.flatMap { part in
      part.rows.flatMap { row in row.cells.map { line($0, row, part) } }
    }.map { $0.map(Self.csvField).joined(separator: ",") + "\n" }.joined()
  }

  /// As LaTeX tables that need no package.
  public var latex: String {
    table.parts.map { part in
      let grid = rows(part, links: false)
      let lines = ([header(part)] + grid).map {
        $0.map(Self.latexText).joined(separator: " & ") + " \\\\"
      }
      let caption = Self.latexText("\(head). \(Self.heading(of: part))")
      return """
        \\begin{table}
        \\caption{\(caption)}
        \\begin{tabular}{ll\(String(repeating: "r", count: part.columns.count))}
        \\hline
        \(lines[0])
        \\hline
        \(lines.dropFirst().joined(separator: "\n"))
        \\hline
        \\end{tabular}
        \\end{table}

        """
    }.joined(separator: "\n")
      + table.differences.map { "% \($0)\n" }.joined()
  }

  // MARK: Words

  private var head: String {
    table.title + (table.preset.map { " (preset \($0))" } ?? "")
  }

  private static func heading(of part: PartRecord) -> String {
    let unit =
      part.unit == .share
      ? "percent right" : "nats above the lowest reading"
    return "\(part.name): \(part.dataset), \(part.norm) ε \(part.epsilon); \(unit)"
  }

  private func notes(bullet: String) -> String {
    var lines = missing.map { bullet + "\($0.reason): \($0.rows.joined(separator: ", "))" }
    if !lines.isEmpty { lines = ["Not measured, and why:"] + lines + [""] }
    let flags = flagged.map { "\(bullet)\($0.reason): \($0.rows.joined(separator: ", "))" }
    if !flags.isEmpty { lines += ["! What the evaluation doubts:"] + flags + [""] }
    if table.paper != nil {
      lines.append(
        table.differences.isEmpty
          ? "The setting is the paper's, as far as settings say."
          : "How this differs from the paper, so that nobody takes it for a replication:")
      lines += table.differences.map { bullet + $0 } + [""]
    }
    return lines.isEmpty ? "" : "\n" + lines.joined(separator: "\n")
  }

  /// Reasons with the rows that they leave without figures.
  private var missing: [(reason: String, rows: [String])] {
    grouped { $0.why.map { [$0] } ?? [] }
  }

  /// What makes figures doubtful, with the rows.
  private var flagged: [(reason: String, rows: [String])] { grouped { $0.runs.flatMap(\.flags) } }

  private func grouped(
    _ reasons: (CellRecord) -> [String]
  ) -> [(reason: String, rows: [String])] {
    var found: [(reason: String, rows: [String])] = []
    for row in table.parts.flatMap(\.rows) {
      for reason in row.cells.flatMap(reasons) {
        let place = found.firstIndex { $0.reason == reason } ?? found.count
        if place == found.count { found.append((reason, [])) }
        if !found[place].rows.contains(row.name) { found[place].rows.append(row.name) }
      }
    }
    return found
  }

  // MARK: Rows

  private func header(_ part: PartRecord) -> [String] {
    ["row", ""] + part.columns.map { $0.limit == nil ? $0.name : "\($0.name) (\($0.limit ?? 0))" }
  }

  private func grid(_ part: PartRecord, links: Bool) -> TextTable {
    var grid = TextTable(
      header(part), alignments: [.left, .left] + part.columns.map { _ in .right })
    for row in rows(part, links: links) { grid.append(row) }
    return grid
  }

  /// One line per row and checkpoint, and one with the paper's figures and the difference of the last checkpoint.
  private func rows(_ part: PartRecord, links: Bool) -> [[String]] {
    part.rows.flatMap { row -> [[String]] in
      var lines: [[String]] = []
      for checkpoint in RecipeCheckpoint.allCases {
        let cells = part.columns.map { row[$0.name, checkpoint] }
        guard cells.contains(where: { $0 != nil }) else { continue }
        let label = part.unit == .nats ? "" : checkpoint.title
        lines.append(
          [lines.isEmpty ? row.name : "", label]
            + cells.map { $0.map { text(of: $0, part.unit, links: links) } ?? "not planned" })
      }
      let first = part.columns.map { column in row.cells.first { $0.column == column.name } }
      if first.contains(where: { $0?.paper != nil }) {
        lines.append(
          ["", "paper"]
            + first.map { cell in
              guard let paper = cell?.paper else { return "none printed" }
              let difference = cell?.difference.map { String(format: " (%+.1f)", $0) } ?? ""
              return paper.text + difference
            })
      }
      return lines
    }
  }

  private func text(of cell: CellRecord, _ unit: FigureUnit, links: Bool) -> String {
    guard let summary = cell.summary else {
      return cell.state == .failed ? "failed" : "not run"
    }
    let (factor, digits) = unit == .share ? (100.0, 1) : (1, 3)
    let number = { (value: Double) in String(format: "%.\(digits)f", factor * value) }
    var text = number(summary.mean)
    if let deviation = summary.standardDeviation {
      text += " ± \(number(deviation)) (n = \(summary.count))"
    } else if let interval = cell.interval {
      text += " [\(number(interval[0])), \(number(interval[1]))]"
    }
    if cell.runs.contains(where: { !$0.flags.isEmpty }) { text += " !" }
    if cell.state == .partial { text += " (seeds missing)" }
    return links
      ? "[\(text.replacing("[", with: "(").replacing("]", with: ")"))](\(cell.runs[0].file))"
      : text
  }

  // MARK: CSV and LaTeX

  private func line(_ cell: CellRecord, _ row: RowRecord, _ part: PartRecord) -> [String] {
    let factor = part.unit == .share ? 100.0 : 1
    let number = { (value: Double?) in value.map { "\(factor * $0)" } ?? "" }
    let plain = { (value: Double?) in value.map { "\($0)" } ?? "" }
    let column = part.columns.first { $0.name == cell.column }
    let what = [
      table.name, table.preset ?? "", part.name, part.dataset, part.norm, part.epsilon, row.name,
      cell.checkpoint.rawValue, cell.column, column?.attack ?? "",
      part.unit == .share ? "percent" : "nats", cell.state.rawValue,
    ]
    let figures = [
      number(cell.summary?.mean), number(cell.summary?.standardDeviation),
      cell.summary.map { "\($0.count)" } ?? "0", number(cell.interval?[0]),
      number(cell.interval?[1]), cell.intervalOver ?? "", plain(cell.paper?.mean),
      plain(cell.paper?.deviation), plain(cell.difference),
    ]
    let places = [
      cell.runs.map(\.file).joined(separator: " "),
      cell.runs.compactMap(\.specificationHash).joined(separator: " "), cell.why ?? "",
    ]
    return what + figures + places
  }

  private static func csvField(_ text: String) -> String {
    guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  private static func latexText(_ text: String) -> String {
    let special: [(String, String)] = [
      ("_", "\\_"), ("%", "\\%"), ("&", "\\&"), ("#", "\\#"), ("±", "$\\pm$"),
      ("ε", "$\\epsilon$"), ("∞", "$\\infty$"), ("x̃", "$\\tilde{x}$"), ("−", "$-$"),
    ]
    return special.reduce(text) { $0.replacing($1.0, with: $1.1) }
  }
}
