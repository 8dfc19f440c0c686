// Reads the JSON of a header from left to right, one expected value after another. Foundation's
// parser cannot be used: it keeps one of two equal keys and does not say which. Because the caller
// asks for the type that must come next, no nesting deeper than the format's own is ever followed.
struct SafetensorsScanner {
  typealias Problem = SafetensorsError.Problem

  private let bytes: [UInt8]
  private var index = 0
  // Named in the errors that are met while it is being read.
  var tensor: String?

  private static let offsetOfHeader = 8

  init(_ bytes: [UInt8]) throws(Problem) {
    self.bytes = bytes
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var validCount = 0
    // Once for the whole header, so that strings can be taken from it without asking again.
    validation: while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let encoded): validCount += encoded.count
      case .error: throw .invalidUTF8(offset: Self.offsetOfHeader + validCount)
      case .emptyInput: break validation
      }
    }
  }

  mutating func object(
    _ body: (inout Self, _ key: String, _ offset: Int) throws(Problem) -> Void
  ) throws(Problem) {
    try expect(UInt8(ascii: "{"), "an object")
    if take(UInt8(ascii: "}")) { return }
    var keys: Set<String> = []
    repeat {
      skipSpace()
      let offset = self.offset
      let key = try string("a key in quotes")
      guard keys.insert(key).inserted else {
        throw .duplicateKey(key, offset: offset, tensor: tensor)
      }
      try expect(UInt8(ascii: ":"), "':' after the key")
      try body(&self, key, offset)
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"), "',' or '}' after the value")
  }

  mutating func array(_ body: (inout Self) throws(Problem) -> Void) throws(Problem) {
    try expect(UInt8(ascii: "["), "an array")
    if take(UInt8(ascii: "]")) { return }
    repeat {
      try body(&self)
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"), "',' or ']' after the entry")
  }

  mutating func string(_ expected: String = "a string") throws(Problem) -> String {
    try expect(UInt8(ascii: "\""), expected)
    var text: [UInt8] = []
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        text.append(contentsOf: try escape().utf8)
      case ..<0x20:
        throw malformed("no unescaped control character in a string")
      default:
        text.append(byte)
        index += 1
      }
    }
    throw malformed("'\"' at the end of the string")
  }

  // The text of a JSON number and where it begins; what it may be is the caller's to say.
  mutating func number() throws(Problem) -> (text: String, offset: Int) {
    skipSpace()
    let start = index
    if current == UInt8(ascii: "-") { index += 1 }
    if current == UInt8(ascii: "0") {
      index += 1
    } else {
      try digits(start == index ? "a number" : "a digit after '-'")
    }
    if current == UInt8(ascii: ".") {
      index += 1
      try digits("a digit after '.'")
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      index += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
      try digits("a digit in the exponent")
    }
    return (String(decoding: bytes[start..<index], as: UTF8.self), Self.offsetOfHeader + start)
  }

  mutating func finish() throws(Problem) {
    skipSpace()
    if current != nil { throw malformed("only spaces after the header's object") }
  }

  func malformed(_ expected: String) -> Problem {
    malformed(expected, found: Problem.shown(byte: current), offset: offset)
  }

  func malformed(_ expected: String, found: String, offset: Int) -> Problem {
    .malformedHeader(offset: offset, expected: expected, found: found, tensor: tensor)
  }

  mutating func skipSpace() {
    while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
  }

  var offset: Int { Self.offsetOfHeader + index }
}

extension SafetensorsScanner {
  private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard current == byte else { return false }
    index += 1
    return true
  }

  private mutating func expect(_ byte: UInt8, _ what: String) throws(Problem) {
    guard take(byte) else { throw malformed(what) }
  }

  private mutating func digits(_ expected: String) throws(Problem) {
    let start = index
    while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
    if index == start { throw malformed(expected) }
  }

  private mutating func escape() throws(Problem) -> String {
    index += 1
    guard let byte = current else { throw malformed("a character after '\\'") }
    let plain: String? =
      switch byte {
      case UInt8(ascii: "\""): "\""
      case UInt8(ascii: "\\"): "\\"
      case UInt8(ascii: "/"): "/"
      case UInt8(ascii: "b"): "\u{08}"
      case UInt8(ascii: "f"): "\u{0C}"
      case UInt8(ascii: "n"): "\n"
      case UInt8(ascii: "r"): "\r"
      case UInt8(ascii: "t"): "\t"
      default: nil
      }
    if let plain {
      index += 1
      return plain
    }
    guard byte == UInt8(ascii: "u") else {
      throw malformed("one of \"\\/bfnrtu after '\\'")
    }
    return String(try unicodeEscape())
  }

  // Characters beyond 16 bits come as two escapes, a high surrogate and a low one; half of such a
  // pair is no character.
  private mutating func unicodeEscape() throws(Problem) -> Unicode.Scalar {
    let start = offset - 1
    let first = try hexadecimalUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xDC00, current == UInt8(ascii: "\\") {
      index += 1
      if current == UInt8(ascii: "u") {
        let second = try hexadecimalUnit()
        if (0xDC00..<0xE000).contains(second),
          let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        {
          return scalar
        }
      }
    }
    throw malformed(
      "a pair of surrogates", found: "half of one, \\u\(String(first, radix: 16))", offset: start)
  }

  private mutating func hexadecimalUnit() throws(Problem) -> UInt32 {
    index += 1
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw malformed("4 hexadecimal digits after '\\u'")
      }
      value = value << 4 | UInt32(digit)
      index += 1
    }
    return value
  }
}
