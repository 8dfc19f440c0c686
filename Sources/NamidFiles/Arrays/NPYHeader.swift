import Foundation

/// An array in NumPy's format that cannot be read, or must not be.
public struct NPYError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The file's path, with the entry's name where it lies in an archive.
  public let file: String
  /// The fault, as the end of a sentence that begins with the file's name.
  public let reason: String

  /// A sentence on the fault.
  public var description: String { "\(file) cannot be read as a NumPy array: \(reason)" }
}

/// The head of a file in NumPy's format, versions 1.0 to 3.0 (numpy.lib.format).
///
/// The head is a Python dictionary in text. It is taken apart as text; nothing in it is evaluated.
struct NPYHeader: Equatable {
  var element: NPYElement
  var isBigEndian: Bool
  /// True where the first axis runs fastest.
  var isFortranOrder: Bool
  var shape: [Int]

  /// The bytes that say how long the head is, at most.
  static let prefix = 12
  /// NumPy itself reads no longer ones than 10,000 bytes.
  static let longest = 65_536
  /// NumPy's own bound on the number of axes.
  static let mostAxes = 64

  /// The place of the dictionary, by the first bytes of a file.
  static func place(in start: [UInt8], file: String) throws(NPYError) -> Range<Int> {
    guard start.count >= 10, start.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw NPYError(file: file, reason: "it has no NumPy header; save it with numpy.save")
    }
    let version = start[6]
    guard (1...3).contains(version) else {
      throw NPYError(
        file: file, reason: "its format is version \(version); versions 1 to 3 are read")
    }
    let from = version == 1 ? 10 : 12
    guard start.count >= from else {
      throw NPYError(file: file, reason: "it ends within its header")
    }
    let length = start[8..<from].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= longest else {
      throw NPYError(file: file, reason: "it claims a header of \(length) bytes")
    }
    return from..<from + length
  }

  /// Takes the dictionary apart.
  init(_ text: String, file: String) throws(NPYError) {
    let shown = quotedForPeople(String(text.prefix(120)))
    let malformed = NPYError(file: file, reason: "its header is not NumPy's: \(shown)")
    var reader = NPYHeaderText(rest: text.utf8[...])
    guard let members = reader.dictionary(), case .text(let descr)? = members["descr"],
      case .bool(let isFortranOrder)? = members["fortran_order"],
      case .tuple(let shape)? = members["shape"]
    else {
      if text.contains("'descr': [") {
        throw NPYError(file: file, reason: "it holds records; save each column as an array")
      }
      throw malformed
    }
    if descr.hasSuffix("O") {
      throw NPYError(
        file: file,
        reason: "it holds pickled objects (dtype object), which could run code. "
          + "Save numbers: numpy.save(name, numpy.asarray(x, dtype=…))")
    }
    guard let order = descr.first, "<>|=".contains(order),
      let element = NPYElement(rawValue: String(descr.dropFirst()))
    else {
      throw NPYError(
        file: file,
        reason: "it holds numbers of type \(quotedForPeople(String(descr.prefix(40)))); "
          + "bool, int8 to int64, uint8 to uint64 and float16 to float64 are read")
    }
    guard shape.count <= Self.mostAxes else { throw malformed }
    self.element = element
    isBigEndian = order == ">"
    self.isFortranOrder = isFortranOrder
    self.shape = shape
  }

  init(element: NPYElement, shape: [Int]) {
    self.element = element
    isBigEndian = false
    isFortranOrder = false
    self.shape = shape
  }

  /// The head as NumPy writes it, version 1.0: padded so that the numbers begin at a multiple of 64 bytes.
  var bytes: [UInt8] {
    let order = element.byteCount == 1 ? "|" : "<"
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = "{'descr': '\(order)\(element.rawValue)', 'fortran_order': False, "
    text += "'shape': (\(sizes)), }"
    let padding = 63 - (10 + text.utf8.count) % 64
    text += String(repeating: " ", count: padding) + "\n"
    let length = text.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
      + Array(text.utf8)
  }

  /// The number of numbers; nil where they are more than memory can have.
  var count: Int? {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: max(1, size))
      if overflow || size < 0 { return nil }
      count = product
    }
    return shape.contains(0) ? 0 : count
  }
}

/// A reader of the few kinds of Python literals that such a head consists of.
private struct NPYHeaderText {
  enum Value {
    case text(String)
    case bool(Bool)
    case tuple([Int])
  }

  var rest: Substring.UTF8View

  /// The whole text as a dictionary; nil where it is anything else.
  mutating func dictionary() -> [String: Value]? {
    guard take("{") else { return nil }
    var members: [String: Value] = [:]
    while !take("}") {
      guard let key = text(), take(":"), let value = value(), members[key] == nil else {
        return nil
      }
      members[key] = value
      guard take(",") || next == UInt8(ascii: "}") else { return nil }
    }
    return next == nil ? members : nil
  }

  private mutating func value() -> Value? {
    if let text = text() { return .text(text) }
    if take("True") { return .bool(true) }
    if take("False") { return .bool(false) }
    return tuple().map(Value.tuple)
  }

  private mutating func tuple() -> [Int]? {
    guard take("(") else { return nil }
    var sizes: [Int] = []
    while !take(")") {
      guard let size = size() else { return nil }
      sizes.append(size)
      guard take(",") || next == UInt8(ascii: ")") else { return nil }
    }
    return sizes
  }

  private mutating func size() -> Int? {
    guard next != nil else { return nil }
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard let size = Int(String(Substring(digits))) else { return nil }
    rest = rest.dropFirst(digits.count)
    // Python 2 wrote long integers so.
    _ = take("L")
    return size
  }

  private mutating func text() -> String? {
    guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      return nil
    }
    let inside = rest.dropFirst().prefix { $0 != quote && $0 != UInt8(ascii: "\\") }
    guard rest.dropFirst(1 + inside.count).first == quote else { return nil }
    rest = rest.dropFirst(2 + inside.count)
    return String(Substring(inside))
  }

  /// The next byte that is no space.
  private var next: UInt8? {
    mutating get {
      rest = rest.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 || $0 == 0x0D }
      return rest.first
    }
  }

  private mutating func take(_ word: String) -> Bool {
    guard next != nil, rest.starts(with: word.utf8) else { return false }
    rest = rest.dropFirst(word.utf8.count)
    return true
  }
}
