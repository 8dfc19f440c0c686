/// A table of ready-made cells with a header; readers sort it by a click on a heading.
///
/// Rows need not be as long as the header: missing cells stay empty and a surplus cell
/// gets a column without a heading, because a report written at the end of a long run must
/// show all its data.
package struct ReportTable: Sendable {
  package var header: [String]
  package var rows: [[Cell]]
  /// The columns set flush right with figures of equal width; nil finds them from the cells.
  package var numericColumns: Set<Int>?
  /// A sentence above the table that says what it shows.
  package var caption: String?
  /// The command that made the figures.
  package var command: String?

  package init(
    header: [String], cells: [[Cell]], numericColumns: Set<Int>? = nil,
    caption: String? = nil, command: String? = nil
  ) {
    self.header = header
    self.rows = cells
    self.numericColumns = numericColumns
    self.caption = caption
    self.command = command
  }

  /// Makes a table of plain texts.
  package init(
    header: [String], rows: [[String]], numericColumns: Set<Int>? = nil,
    caption: String? = nil, command: String? = nil
  ) {
    self.init(
      header: header, cells: rows.map { $0.map { Cell($0) } }, numericColumns: numericColumns,
      caption: caption, command: command)
  }

  /// One place of a table.
  package struct Cell: Sendable {
    package var text: String
    /// The lines below the text in small print, such as an interval or the figure to compare with.
    package var notes: [String]
    /// The file that the figure comes from, relative to the report.
    package var link: String?
    /// The files that the parts of a figure come from, in small print below it, relative to the report.
    package var sources: [(name: String, link: String)]
    /// The value that rows are sorted by; nil takes the text.
    package var value: Double?

    package init(
      _ text: String, notes: [String] = [], link: String? = nil,
      sources: [(name: String, link: String)] = [], value: Double? = nil
    ) {
      self.text = text
      self.notes = notes
      self.link = link
      self.sources = sources
      self.value = value
    }
  }

  /// The number of columns that hold every heading and every cell.
  var columnCount: Int {
    rows.reduce(header.count) { max($0, $1.count) }
  }

  /// The columns to set flush right.
  var resolvedNumericColumns: Set<Int> {
    if let numericColumns { return numericColumns }
    return Set(
      (0..<columnCount).filter { column in
        let cells = rows.compactMap { $0.at(column)?.text }
        let figures = cells.filter { Self.isFigure($0) }
        return !figures.isEmpty && cells.allSatisfy { Self.isFigure($0) || Self.isBlank($0) }
      })
  }

  /// Checks that a cell starts like a figure, such as `-0.3`, `8/255`, `84.2 %` or `±0.4`.
  private static func isFigure(_ cell: String) -> Bool {
    let signs: Set<Character> = ["+", "-", "−", "±", "<", ">", "≈", "~", "."]
    let body = cell.drop { $0 == " " || signs.contains($0) }
    return body.first.map { $0.isASCII && $0.isNumber } ?? false
  }

  /// Checks that a cell stands for an absent or undefined figure.
  private static func isBlank(_ cell: String) -> Bool {
    let blanks: Set<String> = ["", "-", "–", "—", "n/a", "nan", "inf", "-inf"]
    return blanks.contains(cell.lowercased().filter { $0 != " " })
  }
}
