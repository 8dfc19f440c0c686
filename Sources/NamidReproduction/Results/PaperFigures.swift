import Foundation
import NamidSettings

/// A figure that a paper has printed.
package struct PaperFigure: Codable, Hashable, Sendable {
  /// The mean, in the unit of its table.
  package var mean: Double
  /// The standard deviation; nil where none is printed.
  package var deviation: Double?

  enum CodingKeys: String, CodingKey {
    case mean
    case deviation = "sd"
  }

  /// Reads `44.79 ± 0.50` or `44.79`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: "±", omittingEmptySubsequences: false).map {
      Double($0.trimmingCharacters(in: .whitespaces))
    }
    guard let mean = parts.first ?? nil, parts.count <= 2, parts.allSatisfy({ $0 != nil }) else {
      return nil
    }
    self.mean = mean
    deviation = parts.count == 2 ? parts[1] : nil
  }

  /// The figure as printed, with two digits, or three where it has them.
  package var text: String {
    let hasTwo = abs((100 * mean).rounded() - 100 * mean) < 1e-6
    return String(format: hasTwo ? "%.2f" : "%.3f", mean)
      + (deviation.map { String(format: " ± %.2f", $0) } ?? "")
  }
}

/// The figures that a paper prints for one data set and ball.
package struct PaperFigures: ConfigurationGroup, Equatable, Sendable {
  /// The columns in order.
  package var columns: [String] = []
  /// One text per column, `mean` or `mean ± sd`; empty where nothing is printed.
  package var rows = Named<[String]>()

  /// Nothing.
  package init() {}

  /// Refuses rows of another length, and what is no figure.
  package func validate() throws {
    for row in rows.entries {
      try require(
        row.value.count == columns.count, "rows",
        "must have \(columns.count) figures each, \(row.name) has \(row.value.count)")
      for text in row.value where !text.isEmpty {
        try require(
          PaperFigure(text) != nil, "rows", "must hold figures such as 44.79 ± 0.50, not \(text)")
      }
    }
  }

  /// The figure of a cell; nil where the paper has none.
  package subscript(row: String, column: String) -> PaperFigure? {
    guard let place = columns.firstIndex(of: column), let texts = rows[row] else { return nil }
    return PaperFigure(texts[place])
  }
}
