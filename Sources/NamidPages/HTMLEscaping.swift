import Foundation

extension String {
  /// The text, safe inside an element and inside a quoted attribute.
  var escaped: String {
    var result = ""
    result.reserveCapacity(utf8.count)
    for scalar in unicodeScalars {
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

  /// The JSON, safe inside a `script` element; `<` and its like occur only in its strings.
  var escapedAsJSON: String {
    replacing("&", with: "\\u0026").replacing("<", with: "\\u003C").replacing(">", with: "\\u003E")
  }

  /// The source of a library, safe inside a `script` element.
  ///
  /// The two sequences that change how HTML reads a script are spelt `\x3C…`, which means the same
  /// inside strings and expressions, the only places where a library has them. The address of a
  /// source map is dropped, because a debugger would ask for it.
  var escapedAsScript: String {
    var result = self
    for sequence in ["!--", "/script"] {
      result = result.replacingOccurrences(
        of: "<(\(sequence))", with: "\\\\x3C$1", options: [.regularExpression, .caseInsensitive])
    }
    return result.replacingOccurrences(
      of: "//[#@] *sourceMappingURL=[^\\s]*", with: "", options: .regularExpression)
  }
}
