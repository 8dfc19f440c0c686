import Foundation

/// The place and the reason for which a text is not JSON.
public struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
  /// The line of the fault, counted from 1.
  public let line: Int

  /// The byte within the line, counted from 1.
  public let column: Int

  /// The byte within the text, counted from 0.
  public let offset: Int

  /// The words for what was expected and what was found; control characters are escaped.
  public let reason: String

  /// The place and the reason in one sentence.
  public var description: String { "line \(line), column \(column): \(reason)" }
}

extension JSONValue {
  /// Reads a JSON text.
  ///
  /// Stricter than most readers where leniency hides mistakes: a name that occurs twice in one
  /// object, a number too large for a double and more than 256 nested levels are refused.
  ///
  /// - Parameter data: UTF-8, with or without a byte order mark.
  /// - Throws: `JSONSyntaxError` with line and column.
  public init(parsing data: some Sequence<UInt8>) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes: Array(data))
    self = try parser.document()
  }

  /// Reads a JSON text, see ``init(parsing:)``.
  public init(parsing text: String) throws(JSONSyntaxError) {
    try self.init(parsing: text.utf8)
  }
}

/// A recursive descent over the bytes of one document.
private struct JSONParser {
  let bytes: [UInt8]
  var position = 0

  /// Keeps a hostile file from exhausting the stack.
  static let maximumDepth = 256

  init(bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw fault("expected the end, found \(found)") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    guard depth < Self.maximumDepth else {
      throw fault("more than \(Self.maximumDepth) nested levels")
    }
    skipSpace()
    switch peek ?? 0 {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default:
      if take("true") { return .bool(true) }
      if take("false") { return .bool(false) }
      if take("null") { return .null }
      throw fault("expected a value, found \(found)")
    }
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONObject {
    var object = JSONObject()
    position += 1
    skipSpace()
    if take("}") { return object }
    while true {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else {
        throw fault("expected a name in quotes, found \(found)")
      }
      let key = try string()
      guard object[key] == nil else { throw fault("the name \(quotedForPeople(key)) occurs twice") }
      skipSpace()
      guard take(":") else {
        throw fault("expected \":\" after the name \(quotedForPeople(key)), found \(found)")
      }
      object[key] = try value(depth: depth + 1)
      skipSpace()
      if take("}") { return object }
      guard take(",") else { throw fault("expected \",\" or \"}\", found \(found)") }
    }
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
    var elements: [JSONValue] = []
    position += 1
    skipSpace()
    if take("]") { return elements }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return elements }
      guard take(",") else { throw fault("expected \",\" or \"]\", found \(found)") }
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONValue {
    let start = position
    _ = take("-")
    let leading = position
    try digits()
    guard position == leading + 1 || bytes[leading] != UInt8(ascii: "0") else {
      throw fault("a number does not start with 0 and a digit")
    }
    var isInteger = true
    if take(".") {
      isInteger = false
      try digits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, text != "-0", let int = Int(text) { return .int(int) }
    guard let double = Double(text), double.isFinite else {
      throw fault("the number \(text) is too large")
    }
    return .double(double)
  }

  private mutating func digits() throws(JSONSyntaxError) {
    let start = position
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard position > start else { throw fault("expected a digit, found \(found)") }
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    var units: [UInt8] = []
    position += 1
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: units, as: UTF8.self) else {
          throw fault("a text that is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): units.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw fault("a control character inside a text")
      default: units.append(byte)
      }
    }
    throw fault("a text without a closing quote")
  }

  private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
    let plain: [UInt8: Unicode.Scalar] = [
      UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
      UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n",
      UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]
    guard let byte = peek else { throw fault("a text without a closing quote") }
    if let scalar = plain[byte] {
      position += 1
      return scalar
    }
    guard take("u") else { throw fault("an unknown escape \\\(found)") }
    let first = try hexUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, take("\\u") else { throw fault("half of a surrogate pair") }
    let second = try hexUnit()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else { throw fault("half of a surrogate pair") }
    return scalar
  }

  private mutating func hexUnit() throws(JSONSyntaxError) -> UInt32 {
    let digits = bytes[position..<min(position + 4, bytes.count)]
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw fault("expected four hexadecimal digits after \\u") }
    position += 4
    return unit
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private var found: String {
    guard let byte = peek else { return "the end" }
    guard (0x20..<0x7F).contains(byte) else {
      return "byte 0x" + hexDigits(byte).uppercased()
    }
    return "\"\(Character(Unicode.Scalar(byte)))\""
  }

  private mutating func take(_ text: StaticString) -> Bool {
    let isNext = text.withUTF8Buffer { bytes[position...].starts(with: $0) }
    if isNext { position += text.utf8CodeUnitCount }
    return isNext
  }

  private mutating func skipSpace() {
    while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private func fault(_ reason: String) -> JSONSyntaxError {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.count { $0 == 0x0A } + 1
    let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    return JSONSyntaxError(
      line: line, column: before.count - lineStart + 1, offset: before.count, reason: reason)
  }
}

/// A text from a file in quotes: escaped, because a terminal obeys control characters, and cut, because one name
/// may fill a whole file.
package func quotedForPeople(_ text: String) -> String {
  let cut = text.unicodeScalars.prefix(100)
  let isWhole = cut.endIndex == text.unicodeScalars.endIndex
  return (String(cut) + (isWhole ? "" : "…")).debugDescription
}
