import Foundation

/// Numbers between commas, semicolons or tabs, one row a line; the first line may be names.
struct CSVTable {
  let names: [String]?
  let values: [Double]
  let columns: Int

  init(_ data: Data, file: String) throws(SampleTableError) {
    guard let text = String(data: data, encoding: .utf8) else {
      throw .foreign(file: file, found: "bytes that are not UTF-8", expected: "a text of numbers")
    }
    // Foundation's CRLF is one Character, so that both line ends are newlines.
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
    func isBlank(_ line: Substring) -> Bool { line.allSatisfy(\.isWhitespace) }
    guard let first = lines.first(where: { !isBlank($0) }) else { throw .empty(file: file) }
    let separator: Character = [",", ";", "\t"].first { first.contains($0) } ?? ","
    func cells(_ line: Substring) -> [Substring] {
      line.split(separator: separator, omittingEmptySubsequences: false).map(Self.trimmed)
    }
    let head = cells(first)
    columns = head.count
    var line = 0
    if head.allSatisfy({ Double($0) == nil && !$0.isEmpty }) {
      names = head.map(String.init)
      while let next = lines.first, isBlank(next) {
        (lines, line) = (lines.dropFirst(), line + 1)
      }
      (lines, line) = (lines.dropFirst(), line + 1)
    } else {
      names = nil
    }
    var values: [Double] = []
    for row in lines {
      line += 1
      if isBlank(row) { continue }
      let row = cells(row)
      if row.count != columns {
        throw .ragged(file: file, line: line, found: row.count, expected: columns)
      }
      for (column, cell) in row.enumerated() {
        guard let value = Double(cell) else {
          let title = names.map { "\(column + 1) (\($0[column]))" } ?? "\(column + 1)"
          throw .notANumber(file: file, line: line, column: title, text: String(cell))
        }
        values.append(value)
      }
    }
    self.values = values
  }

  private static func trimmed(_ cell: Substring) -> Substring {
    var cell = cell
    while cell.first?.isWhitespace == true { cell.removeFirst() }
    while cell.last?.isWhitespace == true { cell.removeLast() }
    if cell.count >= 2, cell.first == "\"", cell.last == "\"" { cell = cell.dropFirst().dropLast() }
    return cell
  }
}
