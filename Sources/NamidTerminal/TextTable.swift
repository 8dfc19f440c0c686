/// A table of texts for terminals and Markdown.
///
/// ```
/// defense   clean   PGD-40
/// ------------------------
/// natural  89.1 %    0.0 %
/// namid    85.3 %  71.2 %
/// ```
public struct TextTable: Sendable {
  /// The alignment of the cells of a column.
  public enum Alignment: Sendable {
    /// Alignment to the left.
    case left
    /// Alignment to the right.
    case right
    /// Alignment to the right where all cells are numbers, with or without sign, `%` and `±`; else to the left.
    case automatic
  }

  private let titles: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// Makes an empty table.
  ///
  /// - Parameters:
  ///   - titles: The titles of the columns.
  ///   - alignments: The alignment of each column; the columns beyond are `automatic`.
  public init(_ titles: [String], alignments: [Alignment] = []) {
    precondition(
      alignments.count <= titles.count,
      "expected at most \(titles.count) alignments, found \(alignments.count)")
    self.titles = titles
    let rest = titles.count - alignments.count
    self.alignments = alignments + Array(repeating: .automatic, count: rest)
  }

  /// Appends a row with one cell for each column.
  public mutating func append(_ cells: [String]) {
    precondition(
      cells.count == titles.count, "expected \(titles.count) cells, found \(cells.count)")
    rows.append(cells.map { $0.split(separator: "\n").joined(separator: " ") })
  }

  /// The table for a terminal, with a rule under the titles and a newline at the end.
  public var text: String {
    let widths = columnWidths(of: [titles] + rows)
    let rule = String(repeating: "-", count: widths.reduce(0, +) + 2 * max(0, widths.count - 1))
    let lines = ([titles] + rows).map { row in
      let line = padded(row, to: widths).joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
    return ([lines[0], rule] + lines.dropFirst()).map { $0 + "\n" }.joined()
  }

  /// The table as Markdown, with a newline at the end.
  public var markdown: String {
    let cells = ([titles] + rows).map { row in row.map { $0.replacing("|", with: "\\|") } }
    let widths = columnWidths(of: cells).map { max(3, $0) }
    let rule = zip(isRightAligned, widths).map { isRight, width in
      isRight
        ? String(repeating: "-", count: width - 1) + ":" : String(repeating: "-", count: width)
    }
    let lines = cells.map { padded($0, to: widths) }
    return ([lines[0], rule] + lines.dropFirst())
      .map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
  }

  private func columnWidths(of cells: [[String]]) -> [Int] {
    titles.indices.map { column in cells.map { displayWidth($0[column]) }.max() ?? 0 }
  }

  private func padded(_ row: [String], to widths: [Int]) -> [String] {
    zip(zip(row, widths), isRightAligned).map { cell, isRight in
      let space = String(repeating: " ", count: max(0, cell.1 - displayWidth(cell.0)))
      return isRight ? space + cell.0 : cell.0 + space
    }
  }

  private var isRightAligned: [Bool] {
    alignments.enumerated().map { column, alignment in
      switch alignment {
      case .left: false
      case .right: true
      case .automatic:
        rows.contains { !$0[column].isEmpty } && rows.allSatisfy { isNumber($0[column]) }
      }
    }
  }
}

/// Checks that a cell is a number, a number with its uncertainty, or a mark for a missing number.
private func isNumber(_ cell: String) -> Bool {
  if ["", "-", "–", "—", "nan"].contains(cell) { return true }
  let parts = cell.filter { $0 != "%" && $0 != " " && $0 != "," }.split(separator: "±")
  return !parts.isEmpty && parts.allSatisfy { Double($0.replacing("−", with: "-")) != nil }
}
