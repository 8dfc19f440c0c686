import Foundation
import NamidFiles
import NamidTorch

/// Rows of numbers from a file: CSV, NPY or safetensors.
public struct SampleTable {
  /// The file that it comes from, for messages.
  public let file: String
  /// Names of the columns, where the file has them.
  public let names: [String]?
  /// (rows, columns), float64, all finite.
  public let values: Tensor

  /// The number of rows.
  public var count: Int { values.size(0) }

  /// Reads a file; its name's ending says what it is.
  ///
  /// - Parameter url: `.csv` or `.tsv` (a header is optional), `.npy` (one array of rank 1 or 2), `.safetensors` (one
  ///   tensor of rank 1 or 2).
  /// - Throws: `SampleTableError` naming the line and column, or the reason why the file cannot be read.
  public init(contentsOf url: URL) throws {
    let file = url.path
    switch url.pathExtension.lowercased() {
    case "csv", "tsv", "txt":
      let table = try CSVTable(readFile(at: url, limit: Self.largestFile), file: file)
      self.init(file: file, names: table.names, values: table.values, columns: table.columns)
    case "npy":
      let array = try NPYArray(url)
      guard (1...2).contains(array.shape.count), array.count <= Self.largestFile else {
        throw SampleTableError.foreign(
          file: file, found: "an array of shape \(array.shape)", expected: "rank 1 or 2")
      }
      self.init(
        file: file, names: nil, values: try array.doubles(),
        columns: array.shape.count == 1 ? 1 : array.shape[1])
    case "safetensors":
      let tensors = try Weights.read(url)
      guard tensors.count == 1, let tensor = tensors.first?.value, (1...2).contains(tensor.rank)
      else {
        throw SampleTableError.foreign(
          file: file, found: "\(tensors.count) tensors", expected: "one tensor of rank 1 or 2")
      }
      let columns = tensor.rank == 1 ? 1 : tensor.size(1)
      self.init(
        file: file, names: nil, values: tensor.to(.float64).array(of: Double.self),
        columns: columns)
    default:
      throw SampleTableError.foreign(
        file: file, found: "the ending .\(url.pathExtension)",
        expected: ".csv, .tsv, .npy or .safetensors")
    }
    try check()
  }

  /// The largest size of a file in bytes; its numbers take several times as much memory.
  private static let largestFile = 1 << 31

  private init(file: String, names: [String]?, values: [Double], columns: Int) {
    self.file = file
    self.names = names
    self.values = Tensor(values, shape: [columns == 0 ? 0 : values.count / columns, columns])
  }

  private init(file: String, names: [String]?, values: Tensor) {
    self.file = file
    self.names = names
    self.values = values
  }

  /// The columns whose names begin with a letter, such as X0, X1, …; nil when there are none.
  public func columns(beginningWith prefix: String) -> SampleTable? {
    guard let names else { return nil }
    let chosen = names.indices.filter { names[$0].lowercased().hasPrefix(prefix.lowercased()) }
    if chosen.isEmpty { return nil }
    return SampleTable(
      file: file, names: chosen.map { names[$0] },
      values: values.indexSelect(Tensor(chosen, shape: [chosen.count]), dim: 1))
  }

  /// Refuses what no estimate can be made of: no rows, numbers that are not finite, columns that never change.
  private func check() throws(SampleTableError) {
    if values.count == 0 { throw .empty(file: file) }
    let finite = values.isfinite().bools()
    let columns = values.size(1)
    if let place = finite.firstIndex(of: false) {
      throw .notFinite(file: file, row: place / columns + 1, column: title(place % columns))
    }
    let spread = (values.amax([0]) - values.amin([0])).array(of: Double.self)
    if count > 1, let constant = spread.firstIndex(of: 0) {
      throw .constant(file: file, column: title(constant))
    }
  }

  private func title(_ column: Int) -> String {
    names.map { "\(column + 1) (\($0[column]))" } ?? "\(column + 1)"
  }
}

/// A table that cannot be used.
public enum SampleTableError: Error, CustomStringConvertible, Equatable {
  /// Something else than a table.
  case foreign(file: String, found: String, expected: String)
  /// A cell that is not a number.
  case notANumber(file: String, line: Int, column: String, text: String)
  /// A row with another number of cells than the first.
  case ragged(file: String, line: Int, found: Int, expected: Int)
  /// The table has no rows.
  case empty(file: String)
  /// NaN or infinity.
  case notFinite(file: String, row: Int, column: String)
  /// A column with one value only: there is no information in it, and it cannot be standardised.
  case constant(file: String, column: String)

  /// A sentence on the fault, its place and the remedy.
  public var description: String {
    switch self {
    case .foreign(let file, let found, let expected):
      "\(file): \(found), where \(expected) is needed"
    case .notANumber(let file, let line, let column, let text):
      "\(file), line \(line), column \(column): \"\(text)\" is not a number"
    case .ragged(let file, let line, let found, let expected):
      "\(file), line \(line): \(found) cells, where the lines before have \(expected)"
    case .empty(let file): "\(file) has no rows"
    case .notFinite(let file, let row, let column):
      "\(file), row \(row), column \(column): not a finite number; remove or repair the row"
    case .constant(let file, let column):
      "\(file), column \(column) has the same value in every row; remove the column"
    }
  }
}

/// Numbers between commas, semicolons or tabs, one row a line; the first line may be names.
private struct CSVTable {
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
