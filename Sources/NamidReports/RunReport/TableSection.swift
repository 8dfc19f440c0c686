import Foundation
import NamidPages
import NamidReproduction
import NamidStatistics

/// A table of figures as a section of a report: its parts with charts, and its notes.
struct TableSection {
  let table: TableRecord
  /// The address of a file that the table names.
  let link: (String) -> String

  var section: Report.Section {
    var blocks: [Report.Block] = table.about.isEmpty ? [] : [.paragraph(table.about)]
    for part in table.parts {
      blocks.append(.table(grid(part)))
      blocks += FigureCharts(part: part, isFigure: table.name.hasPrefix("figure")).blocks
    }
    blocks += TableNotes(table).lists.map { .list($0.title, $0.items) }
    return Report.Section(table.heading, blocks)
  }

  private func grid(_ part: PartRecord) -> ReportTable {
    let checkpoints = part.hasCheckpoints ? ["checkpoint"] : []
    return ReportTable(
      header: ["network"] + checkpoints + part.columns.map(\.heading),
      cells: part.rows.flatMap { rows(of: $0, part) },
      numericColumns: Set(part.columns.indices.map { $0 + 1 + checkpoints.count }),
      caption: part.heading)
  }

  /// Makes the rows of each checkpoint; the paper's figures are below those of the checkpoint that is compared.
  private func rows(of row: RowRecord, _ part: PartRecord) -> [[ReportTable.Cell]] {
    RecipeCheckpoint.allCases.compactMap { checkpoint in
      let cells = part.columns.map { row[$0.name, checkpoint] }
      guard cells.contains(where: { $0 != nil }) else { return nil }
      let start = [ReportTable.Cell(row.name)]
      let label = part.hasCheckpoints ? [ReportTable.Cell(checkpoint.title)] : []
      let comparesHere = checkpoint == part.compared
      return start + label + cells.map { cell(of: $0, part.unit, compares: comparesHere) }
    }
  }

  private func cell(of cell: CellRecord?, _ unit: FigureUnit, compares: Bool) -> ReportTable.Cell {
    guard let cell else { return ReportTable.Cell("not planned") }
    let paper = compares ? cell.comparison.map { "paper \($0)" } : nil
    let notes = [cell.spread(unit), compares ? cell.advantage.map { "Δ \($0)" } : nil, paper]
    let sources = cell.runs.map { (name: "seed \($0.seed)", link: link($0.file)) }
    return ReportTable.Cell(
      cell.mean(unit) + cell.marks, notes: notes.compactMap(\.self),
      link: sources.count == 1 ? sources[0].link : nil,
      sources: sources.count > 1 ? sources : [], value: cell.summary?.mean)
  }
}

/// Bar charts of the figures of a part, and of the paper's figures.
struct FigureCharts {
  let part: PartRecord
  /// True for one of the paper's figures, which groups bars by attack; a table groups them by network.
  let isFigure: Bool

  var blocks: [Report.Block] {
    let own = chart("Here", caption) { cell in
      cell.summary.map { (scale * $0.mean, cell.interval.map { scale * $0 }) }
    }
    let paper = chart("The paper", "As printed or read off the paper's drawing.") { cell in
      cell.paper.map { paper in
        (paper.mean, paper.deviation.map { ConfidenceInterval(around: paper.mean, half: $0) })
      }
    }
    return [own, paper].compactMap { $0.map(Report.Block.chart) }
  }

  private var scale: Double { part.unit == .share ? 100 : 1 }

  private var caption: String {
    (part.hasCheckpoints ? "\(part.compared.title.capitalized) checkpoint. " : "")
      + "Bars with 95 % intervals, of one seed over images, of several over seeds."
  }

  private typealias Bar = (value: Double, interval: ConfidenceInterval?)

  /// Makes the chart; nil where no cell has a value.
  private func chart(
    _ whose: String, _ caption: String, value: (CellRecord) -> Bar?
  ) -> Chart? {
    let columns = part.columns.map(\.name)
    let rows = part.rows
    let bars = rows.map { row in
      columns.map { column in row[column, part.compared].flatMap(value) }
    }
    guard bars.joined().contains(where: { $0 != nil }) else { return nil }
    let series = { (name: String, bars: [Bar?]) in
      Chart.Bars(name, values: bars.map { $0?.value ?? .nan }, intervals: bars.map { $0?.interval })
    }
    let axis =
      part.unit == .share
      ? Chart.Axis("percent right", minimum: 0, maximum: 100)
      : Chart.Axis("nats above the lowest reading")
    let content: Chart.Content =
      isFigure
      ? .bar(
        categories: columns, series: zip(rows, bars).map { series($0.name, $1) })
      : .bar(
        categories: rows.map(\.name),
        series: columns.indices.map { column in series(columns[column], bars.map { $0[column] }) })
    return Chart(
      title: "\(whose): \(part.name)", yAxis: axis, content: content, caption: caption)
  }
}
