/// The forms that tables are printed in.
package enum TableFormat: String, CaseIterable, Sendable {
  /// Plain text for a terminal.
  case text
  /// A table for a page of Markdown.
  case markdown
  /// One line per figure.
  case csv
  /// LaTeX for a paper.
  case latex

  /// Tables in this form, with a newline at the end.
  package func render(_ tables: [TableRecord]) -> String {
    let texts = tables.map(TableText.init)
    return switch self {
    case .text: texts.map(\.text).joined(separator: "\n") + "\n"
    case .markdown: texts.map(\.markdown).joined(separator: "\n") + "\n"
    case .csv: TableText.csvHeader + texts.map(\.csv).joined()
    case .latex: texts.map(\.latex).joined(separator: "\n") + "\n"
    }
  }
}
