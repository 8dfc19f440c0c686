import Foundation
import NamidFiles
import NamidSettings

/// A file of per-sample values, one row per sample and source, CSV or JSON lines by the name's ending.
package struct SampleFile: Sendable {
  /// The rows of one source, such as an attack.
  package struct Part: Sendable {
    /// The names and texts of columns that are equal in all rows, such as the attack.
    var facts: [(name: String, text: String)]
    var outcomes: SampleOutcomes
    /// The columns of numbers, in nats.
    var columns: [(name: String, values: [Double])]
    /// A digest of everything that decides these figures.
    var specificationHash: String

    package init(
      facts: [(name: String, text: String)], outcomes: SampleOutcomes,
      columns: [(name: String, values: [Double])], specificationHash: String
    ) {
      self.facts = facts
      self.outcomes = outcomes
      self.columns = columns
      self.specificationHash = specificationHash
    }
  }

  private let url: URL
  /// True for CSV, false for JSON lines.
  private let isCSV: Bool

  /// Chooses the format of a file by its name.
  ///
  /// - Throws: `LaboratoryError.unknownEnding` unless the name ends in `.csv` or `.jsonl`.
  package init(_ url: URL) throws(LaboratoryError) {
    let ending = url.pathExtension.lowercased()
    guard ending == "csv" || ending == "jsonl" else { throw .unknownEnding(url.relativePath) }
    isCSV = ending == "csv"
    self.url = url
  }

  /// Writes all rows; an existing file stays as it was where that fails.
  package func write(_ parts: [Part]) throws {
    try AtomicFile.write(to: url) { writer in
      if isCSV, let first = parts.first {
        try writer.write(CSV.line(Self.cells(first, 0).map(\.name)) + "\n")
      }
      for part in parts {
        // In pieces: neither the whole text in memory nor a call for every row.
        for start in stride(from: 0, to: part.outcomes.count, by: 1000) {
          let rows = start..<min(start + 1000, part.outcomes.count)
          try writer.write(rows.map { line(part, $0) + "\n" }.joined())
        }
      }
    }
  }

  private func line(_ part: Part, _ place: Int) -> String {
    let cells = Self.cells(part, place)
    if isCSV { return CSV.line(cells.map { $0.value.stringValue ?? $0.value.text() }) }
    return JSONValue.object(JSONObject(cells.map { (key: $0.name, value: $0.value) })).text()
  }

  private static func cells(_ part: Part, _ place: Int) -> [(name: String, value: JSONValue)] {
    let outcomes = part.outcomes
    guard place < outcomes.count else { return [] }
    let facts = part.facts.map { (name: $0.name, value: JSONValue.string($0.text)) }
    let own: [(name: String, value: JSONValue)] = [
      ("index", .int(outcomes.index[place])), ("label", .int(outcomes.label[place])),
      ("clean", .int(outcomes.clean[place])), ("attacked", .int(outcomes.attacked[place])),
      ("selected", .int(outcomes.isSelected[place] ? 1 : 0)),
      ("batch", .int(outcomes.batch[place])),
    ]
    let numbers = part.columns.map { column in
      // The decimal text of the float32 value: its binary expansion would feign digits.
      let value = column.values[place]
      return (name: column.name, value: JSONValue.double(Double(Float(value).description) ?? value))
    }
    return facts + own + numbers + [("spec", .string(part.specificationHash))]
  }
}
