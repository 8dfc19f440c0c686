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
    let parts = table.parts.map { "\($0.heading)\n" + grid($0, links: false).text }
    return ([table.heading] + parts).joined(separator: "\n") + notes(bullet: "  ")
  }

  /// As Markdown; each figure is a link to its result.
  public var markdown: String {
    let parts = table.parts.map {
      "### \($0.heading)\n\n" + grid($0, links: true).markdown
    }
    return (["## \(table.heading)"] + parts).joined(separator: "\n") + notes(bullet: "* ")
  }

  /// The names of the columns of `csv`.
  public static let csvHeader =
    "table,preset,part,dataset,norm,epsilon,row,checkpoint,column,attack,unit,state,mean,sd,n,low,high,"
    + "interval_over,paper,paper_sd,difference,paired_difference,paired_low,paired_high,file,spec_hash,why\n"

  /// One line per cell, without the header.
  public var csv: String {
    table.parts.flatMap { part in
      part.rows.flatMap { row in row.cells.map { line($0, row, part) } }
    }.map { CSV.line($0) + "\n" }.joined()
  }

  /// As LaTeX tables that need no package.
  public var latex: String {
    table.parts.map { part in
      let grid = rows(part, links: false)
      let lines = ([header(part)] + grid).map {
        $0.map(Self.latexText).joined(separator: " & ") + " \\\\"
      }
      let caption = Self.latexText("\(table.heading). \(part.heading)")
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

  private func notes(bullet: String) -> String {
    let notes = TableNotes(table).lists
    if notes.isEmpty { return "" }
    let lines = notes.flatMap { [$0.title] + $0.items.map { bullet + $0 } + [""] }
    return "\n" + lines.joined(separator: "\n")
  }

  // MARK: Rows

  private func header(_ part: PartRecord) -> [String] {
    ["row", ""] + part.columns.map(\.heading)
  }

  private func grid(_ part: PartRecord, links: Bool) -> TextTable {
    var grid = TextTable(
      header(part), alignments: [.left, .left] + part.columns.map { _ in .right })
    for row in rows(part, links: links) { grid.append(row) }
    return grid
  }

  /// One line per row and checkpoint, and below them, for the one that is compared, the difference to the first row, image by
  /// image, and the paper's figures with the difference to them.
  private func rows(_ part: PartRecord, links: Bool) -> [[String]] {
    part.rows.flatMap { row -> [[String]] in
      var lines: [[String]] = []
      for checkpoint in RecipeCheckpoint.allCases {
        let cells = part.columns.map { row[$0.name, checkpoint] }
        guard cells.contains(where: { $0 != nil }) else { continue }
        let label = part.hasCheckpoints ? checkpoint.title : ""
        lines.append(
          [lines.isEmpty ? row.name : "", label]
            + cells.map { $0.map { text(of: $0, part.unit, links: links) } ?? "not planned" })
      }
      let first = part.columns.map { row[$0.name, part.compared] }
      if let baseline = first.lazy.compactMap({ $0?.paired?.row }).first {
        lines.append(["", "− \(baseline)"] + first.map { $0?.advantage ?? "" })
      }
      if first.contains(where: { $0?.paper != nil }) {
        lines.append(
          ["", "paper"]
            + first.map { $0?.comparison ?? "none printed" })
      }
      return lines
    }
  }

  private func text(of cell: CellRecord, _ unit: FigureUnit, links: Bool) -> String {
    let text = cell.text(unit)
    guard links, let file = cell.runs.first?.file else { return text }
    return "[\(text.replacing("[", with: "(").replacing("]", with: ")"))](\(file))"
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
      cell.summary.map { "\($0.count)" } ?? "0", number(cell.interval?.low),
      number(cell.interval?.high), cell.intervalOver ?? "", plain(cell.paper?.mean),
      plain(cell.paper?.deviation), plain(cell.difference), number(cell.paired?.mean),
      number(cell.paired?.interval.low), number(cell.paired?.interval.high),
    ]
    let places = [
      cell.runs.map(\.file).joined(separator: " "),
      cell.runs.compactMap(\.specificationHash).joined(separator: " "), cell.why ?? "",
    ]
    return what + figures + places
  }

  private static func latexText(_ text: String) -> String {
    let special: [(String, String)] = [
      ("_", "\\_"), ("%", "\\%"), ("&", "\\&"), ("#", "\\#"), ("±", "$\\pm$"),
      ("ε", "$\\epsilon$"), ("∞", "$\\infty$"), ("x̃", "$\\tilde{x}$"), ("−", "$-$"),
    ]
    return special.reduce(text) { $0.replacing($1.0, with: $1.1) }
  }
}
