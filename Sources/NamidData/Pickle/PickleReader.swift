/// Reads pickles of protocol 0 to 2 that hold plain data and arrays of bytes.
///
/// It is a reader of data, not a machine: no name in a file is looked up or called.
struct PickleReader {
  typealias Value = Pickle.Value

  /// An official batch takes about 50,000 operations; the bound keeps the tables small.
  static let mostOperations = 2_000_000

  /// Reads a file's bytes into tables, with the outermost value as `root`.
  static func read(_ bytes: [UInt8], file: String) throws -> Pickle {
    var reader = PickleReader(bytes: bytes, file: file)
    var operations = 0
    while !reader.isDone {
      try reader.step()
      operations += 1
      guard operations <= mostOperations else {
        throw DatasetError.refused(
          file: file, what: "more than \(mostOperations) operations")
      }
    }
    reader.pickle.root = try reader.pop()
    guard reader.at == bytes.count else {
      throw DatasetError.tooLong(file: file, expected: reader.at, found: bytes.count)
    }
    return reader.pickle
  }

  private let bytes: [UInt8]
  private let file: String
  private var pickle: Pickle
  private var at = 0
  private var isDone = false
  private var stack: [Value] = []
  private var memo: [Int: Value] = [:]

  private init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
    pickle = Pickle(emptyOf: file, bytes: bytes)
  }

  private mutating func step() throws {
    let start = at
    let code = try number(of: 1)
    switch UInt8(code) {
    case 0x80: try checkProtocol()
    case UInt8(ascii: "."): isDone = true
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"):
      let top = try pop()
      stack += [top, top]

    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "K"): stack.append(.integer(try number(of: 1)))
    case UInt8(ascii: "M"): stack.append(.integer(try number(of: 2)))
    case UInt8(ascii: "J"):
      stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(of: 4)))))
    case 0x8A: stack.append(.integer(try longInteger()))
    case UInt8(ascii: "I"), UInt8(ascii: "L"): stack.append(try writtenInteger())

    case UInt8(ascii: "U"): stack.append(.bytes(try take(try number(of: 1))))
    case UInt8(ascii: "T"), UInt8(ascii: "X"): stack.append(.bytes(try take(try number(of: 4))))
    case UInt8(ascii: "S"):
      pickle.texts.append(try PickleText.unquote(bytes[try line()], of: pickle))
      stack.append(.text(pickle.texts.count - 1))
    case UInt8(ascii: "V"): stack.append(.bytes(try line()))

    case UInt8(ascii: "("): stack.append(.mark)
    case UInt8(ascii: ")"): push(tuple: [])
    case UInt8(ascii: "t"): push(tuple: try popToMark())
    case 0x85...0x87:
      var items: [Value] = []
      for _ in 0..<(code - 0x84) { items.insert(try pop(), at: 0) }
      push(tuple: items)
    case UInt8(ascii: "]"): push(list: [])
    case UInt8(ascii: "l"): push(list: try popToMark())
    case UInt8(ascii: "}"): try push(dictionary: [])
    case UInt8(ascii: "d"): try push(dictionary: try popToMark())
    case UInt8(ascii: "a"): try append([try pop()])
    case UInt8(ascii: "e"): try append(try popToMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      try set([try pop(), value])
    case UInt8(ascii: "u"): try set(try popToMark())

    case UInt8(ascii: "p"): memo[try writtenIndex()] = try top()
    case UInt8(ascii: "q"): memo[try number(of: 1)] = try top()
    case UInt8(ascii: "r"): memo[try number(of: 4)] = try top()
    case UInt8(ascii: "g"): stack.append(try recall(try writtenIndex()))
    case UInt8(ascii: "h"): stack.append(try recall(try number(of: 1)))
    case UInt8(ascii: "j"): stack.append(try recall(try number(of: 4)))

    case UInt8(ascii: "c"): stack.append(.global(try global()))
    case UInt8(ascii: "R"):
      let arguments = try pop()
      stack.append(try PickleArrays.make(try pop(), arguments, &pickle))
    case UInt8(ascii: "b"):
      let state = try pop()
      try PickleArrays.fill(try top(), state, &pickle)

    default:
      throw pickle.foreign(
        expected: "a pickle of plain data, protocol 0 to 2",
        found: "the operation 0x\(hexBytes([UInt8(code)])) at byte \(start)")
    }
  }

  // MARK: - Bytes

  /// Moves on by `count` bytes, none of which may lie behind the end.
  private mutating func take(_ count: Int) throws -> Range<Int> {
    guard count <= bytes.count - at else {
      throw DatasetError.truncated(file: file, expected: at + count, found: bytes.count)
    }
    at += count
    return (at - count)..<at
  }

  /// A little-endian number without sign.
  private mutating func number(of count: Int) throws -> Int {
    bytes[try take(count)].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func line() throws -> Range<Int> {
    guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw DatasetError.truncated(file: file, expected: bytes.count + 1, found: bytes.count)
    }
    defer { at = end + 1 }
    return at..<end
  }

  private mutating func checkProtocol() throws {
    let version = try number(of: 1)
    guard version <= 2 else {
      throw pickle.foreign(
        expected: "a pickle of protocol 0 to 2, as the official files are",
        found: "protocol \(version)")
    }
  }

  private mutating func longInteger() throws -> Int {
    let digits = bytes[try take(try number(of: 1))]
    guard digits.count <= 8 else {
      throw pickle.foreign(
        expected: "an integer of at most 8 bytes", found: "\(digits.count) bytes")
    }
    let sign: UInt64 = (digits.last ?? 0) & 0x80 == 0 ? 0 : .max
    return Int(truncatingIfNeeded: digits.reversed().reduce(sign) { $0 << 8 | UInt64($1) })
  }

  private mutating func writtenInteger() throws -> Value {
    var text = String(decoding: bytes[try line()].prefix(32), as: UTF8.self)
    if text == "00" { return .bool(false) }
    if text == "01" { return .bool(true) }
    if text.hasSuffix("L") { text.removeLast() }
    guard let number = Int(text) else {
      throw pickle.foreign(expected: "an integer", found: "“\(text)”")
    }
    return .integer(number)
  }

  private mutating func writtenIndex() throws -> Int {
    guard case .integer(let index) = try writtenInteger() else { return 0 }
    return index
  }

  private mutating func global() throws -> Pickle.Global {
    let module = String(decoding: bytes[try line()].prefix(100), as: UTF8.self)
    let name = String(decoding: bytes[try line()].prefix(100), as: UTF8.self)
    guard let known = Pickle.Global(rawValue: "\(module) \(name)") else {
      throw DatasetError.refused(file: file, what: "\(module).\(name)")
    }
    return known
  }

  // MARK: - Stack

  private func top() throws -> Value {
    guard let value = stack.last, value != .mark else {
      throw malformed("an operation without operand")
    }
    return value
  }

  private mutating func pop() throws -> Value {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popToMark() throws -> [Value] {
    guard let mark = stack.lastIndex(of: .mark) else {
      throw malformed("a row without start")
    }
    let items = Array(stack[(mark + 1)...])
    stack.removeSubrange(mark...)
    return items
  }

  private func recall(_ index: Int) throws -> Value {
    guard let value = memo[index] else {
      throw malformed("an unknown reference")
    }
    return value
  }

  private func malformed(_ found: String) -> DatasetError {
    pickle.foreign(expected: "a well-formed pickle", found: "\(found) before byte \(at)")
  }

  // MARK: - Containers

  private mutating func push(tuple items: [Value]) {
    pickle.tuples.append(items)
    stack.append(.tuple(pickle.tuples.count - 1))
  }

  private mutating func push(list items: [Value]) {
    pickle.lists.append(items)
    stack.append(.list(pickle.lists.count - 1))
  }

  private mutating func push(dictionary items: [Value]) throws {
    pickle.dictionaries.append([])
    stack.append(.dictionary(pickle.dictionaries.count - 1))
    try set(items)
  }

  private mutating func append(_ items: [Value]) throws {
    guard case .list(let index) = try top() else {
      throw pickle.foreign(expected: "a list", found: pickle.kind(try top()))
    }
    pickle.lists[index] += items
  }

  private mutating func set(_ items: [Value]) throws {
    guard case .dictionary(let index) = try top(), items.count.isMultiple(of: 2) else {
      throw pickle.foreign(expected: "keys and values", found: pickle.kind(try top()))
    }
    for position in stride(from: 0, to: items.count, by: 2) {
      pickle.dictionaries[index].append((key: items[position], value: items[position + 1]))
    }
  }
}
