import Foundation
import NamidFiles
import NamidPages
import NamidSettings
import NamidTerminal

/// A table's figures as people read them: on a terminal, in Markdown, CSV or LaTeX.
package struct TableText {
  private let table: TableRecord

  /// The texts of a table.
  package init(_ table: TableRecord) {
    self.table = table
  }

  /// The table for a terminal.
  package var text: String {
    let parts = table.parts.map { "\($0.heading)\n" + grid($0, .plain).text }
    let about = table.about.isEmpty ? [] : [table.about + "\n"]
    return ([table.heading] + about + parts).joined(separator: "\n") + notes(bullet: "  ") { $0 }
  }

  /// The table as Markdown; each figure is a link to its result, one of several seeds is followed by a link for each.
  package var markdown: String {
    let parts = table.parts.map {
      "### \(Self.markdownText($0.heading))\n\n" + grid($0, .markdown).markdown
    }
    let about = table.about.isEmpty ? [] : ["\n" + Self.markdownText(table.about) + "\n"]
    return (["## \(Self.markdownText(table.heading))"] + about + parts).joined(separator: "\n")
      + notes(bullet: "* ", Self.markdownText)
  }

  /// Escapes text for Markdown, except bars, which a table escapes by itself.
  private static func markdownText(_ text: String) -> String {
    Markdown.plain(text, upTo: 10_000).replacing("\\|", with: "|")
  }

  /// The names of the columns of `csv`.
  package static let csvHeader =
    "table,preset,part,dataset,norm,epsilon,row,checkpoint,column,attack,unit,state,mean,sd,n,low,high,"
    + "interval_over,paper,paper_sd,difference,paired_difference,paired_low,paired_high,file,spec_hash,why\n"

  /// One line per cell, without the header.
  package var csv: String {
    table.parts.flatMap { part in
      part.rows.flatMap { row in row.cells.map { line($0, row, part) } }
    }.map { CSV.line($0) + "\n" }.joined()
  }

  /// The parts as LaTeX tables that need no package.
  package var latex: String {
    table.parts.map { part in
      let grid = rows(part, .plain)
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
      + ([table.about] + table.differences).filter { !$0.isEmpty }.map { "% \($0)\n" }.joined()
  }

  // MARK: Words

  private func notes(bullet: String, _ written: (String) -> String) -> String {
    let notes = TableNotes(table).lists
    if notes.isEmpty { return "" }
    let lines = notes.flatMap { [$0.title] + $0.items.map { bullet + written($0) } + [""] }
    return "\n" + lines.joined(separator: "\n")
  }

  private enum Writing {
    case plain, markdown
  }

  // MARK: Rows

  private func header(_ part: PartRecord) -> [String] {
    ["row", ""] + part.columns.map(\.heading)
  }

  private func grid(_ part: PartRecord, _ writing: Writing) -> TextTable {
    let written = { (text: String) in writing == .plain ? text : Self.markdownText(text) }
    var grid = TextTable(
      header(part).map(written), alignments: [.left, .left] + part.columns.map { _ in .right })
    for row in rows(part, writing) { grid.append(row.prefix(2).map(written) + row.dropFirst(2)) }
    return grid
  }

  /// Makes one line per row and checkpoint.
  ///
  /// For the checkpoint that is compared, lines below it give the difference to the first row, image by image, and the
  /// paper's figures with the difference to them.
  private func rows(_ part: PartRecord, _ writing: Writing) -> [[String]] {
    part.rows.flatMap { row -> [[String]] in
      var lines: [[String]] = []
      for checkpoint in RecipeCheckpoint.allCases {
        let cells = part.columns.map { row[$0.name, checkpoint] }
        guard cells.contains(where: { $0 != nil }) else { continue }
        let label = part.hasCheckpoints ? checkpoint.title : ""
        lines.append(
          [lines.isEmpty ? row.name : "", label]
            + cells.map { $0.map { text(of: $0, part.unit, writing) } ?? "not planned" })
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

  private func text(of cell: CellRecord, _ unit: FigureUnit, _ writing: Writing) -> String {
    let text = cell.text(unit)
    guard writing == .markdown, let first = cell.runs.first else { return text }
    if cell.runs.count > 1 {
      let seeds = cell.runs.map { "[\($0.seed)](\($0.file))" }
      return "\(text), seeds \(seeds.joined(separator: " "))"
    }
    return "[\(text.replacing("[", with: "(").replacing("]", with: ")"))](\(first.file))"
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
    text.map { latexCharacters[$0] ?? String($0) }.joined()
  }

  /// Replacements for characters that are special in LaTeX or that it cannot write without a package.
  private static let latexCharacters: [Character: String] = [
    "_": "\\_", "%": "\\%", "&": "\\&", "#": "\\#", "$": "\\$", "{": "\\{", "}": "\\}",
    "\\": "$\\backslash$", "^": "$\\hat{\\ }$", "~": "$\\sim$", "<": "$<$", ">": "$>$", "|": "$|$",
    "±": "$\\pm$", "∞": "$\\infty$", "x̃": "$\\tilde{x}$", "−": "$-$", "×": "$\\times$",
    "α": "$\\alpha$", "β": "$\\beta$", "γ": "$\\gamma$", "δ": "$\\delta$", "ε": "$\\epsilon$",
    "κ": "$\\kappa$", "λ": "$\\lambda$", "μ": "$\\mu$", "ρ": "$\\rho$", "σ": "$\\sigma$",
    "τ": "$\\tau$",
  ]
}
