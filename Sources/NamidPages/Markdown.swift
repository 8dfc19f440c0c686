import Foundation

/// Texts from any source, escaped so that Markdown shows them literally.
package enum Markdown {
  /// The length in characters of the longest text that is shown in full.
  package static let longest = 200

  /// Escapes a text for a sentence or a table's cell, so that nothing in it has a meaning in Markdown or HTML.
  package static func plain(_ text: String, upTo longest: Int = longest) -> String {
    String(
      oneLine(text, upTo: longest).flatMap { character -> [Character] in
        "\\`*_[]<>|&#~$".contains(character) ? ["\\", character] : [character]
      })
  }

  /// Formats a text as code within a sentence or a cell.
  package static func code(_ text: String) -> String {
    "`" + oneLine(text).replacing("`", with: "'").replacing("|", with: "¦") + "`"
  }

  /// Makes a table.
  ///
  /// - Parameters:
  ///   - head: The names of the columns.
  ///   - rows: The cells of each row, as Markdown.
  /// - Returns: The lines of the table, with a newline at the end of each.
  package static func table(_ head: [String], _ rows: [[String]]) -> String {
    let line = { (cells: [String]) in "| " + cells.joined(separator: " | ") + " |\n" }
    return line(head) + line(head.map { _ in "---" }) + rows.map(line).joined()
  }

  /// Removes line breaks and control characters from a text and cuts it where it is long.
  package static func oneLine(_ text: String, upTo longest: Int = longest) -> String {
    let calm = String(
      String.UnicodeScalarView(
        text.unicodeScalars.prefix(2 * longest).map { isUnruly($0) ? " " : $0 }))
    return calm.count <= longest ? calm : calm.prefix(longest - 1) + "…"
  }

  /// Checks for control characters, line breaks and characters that change the direction of writing.
  private static func isUnruly(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
    default: false
    }
  }
}

/// Formats a share as a percentage with two decimals and no sign, as leaderboards write it.
package func twoDigitPercent(_ share: Double) -> String { String(format: "%.2f", 100 * share) }
