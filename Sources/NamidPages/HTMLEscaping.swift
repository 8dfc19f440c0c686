import Foundation

/// The three ways in which text is made safe to stand inside an HTML file.
enum HTMLEscaping {
  /// Makes plain text safe inside an element and inside a quoted attribute.
  static func text(_ string: String) -> String {
    var result = ""
    result.reserveCapacity(string.utf8.count)
    for scalar in string.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      case "\r": break
      default:
        // Other control characters may not stand in HTML at all, not even as references.
        let isControl = scalar.properties.generalCategory == .control
        result.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
      }
    }
    return result
  }

  /// Makes JSON safe inside a `script` element; `<` and its like occur only in its strings.
  static func json(_ json: String) -> String {
    json.replacingOccurrences(of: "&", with: "\\u0026")
      .replacingOccurrences(of: "<", with: "\\u003C")
      .replacingOccurrences(of: ">", with: "\\u003E")
  }

  /// Makes a library's source safe inside a `script` element.
  ///
  /// The two sequences that change how HTML reads a script are spelt `\x3C…`, which means the same
  /// inside strings and expressions, the only places where a library has them. The address of a
  /// source map is dropped, because a debugger would ask for it.
  static func script(_ source: String) -> String {
    var result = source
    for sequence in ["!--", "/script"] {
      result = result.replacingOccurrences(
        of: "<(\(sequence))", with: "\\\\x3C$1", options: [.regularExpression, .caseInsensitive])
    }
    return result.replacingOccurrences(
      of: "//[#@] *sourceMappingURL=[^\\s]*", with: "", options: .regularExpression)
  }
}
