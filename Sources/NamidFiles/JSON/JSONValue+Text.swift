import Foundation

extension JSONValue: CustomStringConvertible {
  /// The value as compact JSON on one line.
  public var description: String { text() }

  /// Writes the value as JSON.
  ///
  /// Numbers are written in the shortest form that reads back to the same number; NaN and the
  /// infinities, which JSON lacks, as the texts `"nan"`, `"inf"` and `"-inf"`.
  ///
  /// - Parameter indent: The number of spaces of each level, or nil for everything on one line.
  ///   Lists of plain values stay on one line either way.
  /// - Returns: The JSON text, without a newline at its end.
  public func text(indent: Int? = nil) -> String {
    var out = ""
    write(to: &out, indent: indent, level: 0)
    return out
  }

  /// Writes the value as UTF-8 JSON, see ``text(indent:)``.
  public func data(indent: Int? = nil) -> Data {
    Data(text(indent: indent).utf8)
  }

  private var isScalar: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  private func write(to out: inout String, indent: Int?, level: Int) {
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .int(let value): out += String(value)
    case .double(let value): out += Self.text(of: value)
    case .string(let value): Self.writeQuoted(value, to: &out)
    case .array(let elements):
      let oneLine = indent == nil || elements.allSatisfy(\.isScalar)
      let separator = oneLine && indent != nil ? ", " : ","
      out += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { out += separator }
        if !oneLine { Self.breakLine(&out, indent, level + 1) }
        element.write(to: &out, indent: indent, level: level + 1)
      }
      if !oneLine { Self.breakLine(&out, indent, level) }
      out += "]"
    case .object(let object):
      out += "{"
      for (index, member) in object.enumerated() {
        if index > 0 { out += "," }
        Self.breakLine(&out, indent, level + 1)
        Self.writeQuoted(member.key, to: &out)
        out += indent == nil ? ":" : ": "
        member.value.write(to: &out, indent: indent, level: level + 1)
      }
      if !object.isEmpty { Self.breakLine(&out, indent, level) }
      out += "}"
    }
  }

  private static func breakLine(_ out: inout String, _ indent: Int?, _ level: Int) {
    guard let indent else { return }
    out += "\n"
    out += String(repeating: " ", count: indent * level)
  }

  private static func text(of value: Double) -> String {
    if value.isNaN { return "\"nan\"" }
    if value.isInfinite { return value > 0 ? "\"inf\"" : "\"-inf\"" }
    return value.description
  }

  private static func writeQuoted(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\u{8}": out += "\\b"
      case "\u{c}": out += "\\f"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0}"..<"\u{20}":
        out += "\\u" + hexDigits(UInt16(scalar.value))
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}
