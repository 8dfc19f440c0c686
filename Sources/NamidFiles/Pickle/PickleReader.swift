/// Reads pickles of the protocols 0 to 5 into tables.
struct PickleReader {
  typealias Value = Pickle.Value

  /// A checkpoint of a thousand tensors takes about 50,000 operations; the bound keeps the tables small.
  static let mostOperations = 2_000_000

  /// Reads from a place on to the end of the pickle, whose outermost value is then `root`.
  static func read(
    _ bytes: [UInt8], from start: Int, file: String
  ) throws(PickleError) -> (Pickle, end: Int) {
    var reader = PickleReader(bytes: bytes, at: start, file: file)
    var operations = 0
    while !reader.isDone {
      try reader.step()
      operations += 1
      guard operations <= mostOperations else {
        throw .refused(file: file, what: "more than \(mostOperations) operations")
      }
    }
    reader.pickle.root = try reader.pop()
    return (reader.pickle, reader.at)
  }

  private let bytes: [UInt8]
  private let file: String
  private var pickle: Pickle
  private var at: Int
  private var isDone = false
  private var stack: [Value] = []
  private var memo: [Int: Value] = [:]

  private init(bytes: [UInt8], at start: Int, file: String) {
    self.bytes = bytes
    self.file = file
    at = start
    pickle = Pickle(emptyOf: file, bytes: bytes)
  }

  private mutating func step() throws(PickleError) {
    let start = at
    let code = UInt8(try number(of: 1))
    if try pushScalar(code) { return }
    if try changeContainer(code) { return }
    if try useMemo(code) { return }
    if try describeObject(code) { return }
    switch code {
    case 0x80: try checkProtocol()
    // A frame is a hint for readers of streams.
    case 0x95: _ = try number(of: 8)
    case UInt8(ascii: "."): isDone = true
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    default:
      throw .unexpected(
        file: file, expected: "a pickle of plain data, protocol 0 to 5",
        found: "the operation 0x\(String(code, radix: 16)) at byte \(start)")
    }
  }

  /// Numbers, strings and the like; false for an operation of another kind.
  private mutating func pushScalar(_ code: UInt8) throws(PickleError) -> Bool {
    switch code {
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "K"): stack.append(.integer(try number(of: 1)))
    case UInt8(ascii: "M"): stack.append(.integer(try number(of: 2)))
    case UInt8(ascii: "J"):
      stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(of: 4)))))
    case 0x8A: stack.append(try longInteger(byteCount: try number(of: 1)))
    case 0x8B: stack.append(try longInteger(byteCount: try number(of: 4)))
    case UInt8(ascii: "I"), UInt8(ascii: "L"): stack.append(try writtenInteger())
    case UInt8(ascii: "G"):
      let bits = bytes[try take(8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      stack.append(.real(Double(bitPattern: bits)))
    case UInt8(ascii: "F"):
      let text = String(decoding: bytes[try line()].prefix(40), as: UTF8.self)
      guard let number = Double(text) else { throw unexpected("a number", "“\(text)”") }
      stack.append(.real(number))

    case UInt8(ascii: "U"), UInt8(ascii: "C"), 0x8C:
      stack.append(.bytes(try take(try number(of: 1))))
    case UInt8(ascii: "T"), UInt8(ascii: "X"), UInt8(ascii: "B"):
      stack.append(.bytes(try take(try number(of: 4))))
    case 0x8D, 0x8E, 0x96: stack.append(.bytes(try take(try number(of: 8))))
    case UInt8(ascii: "S"):
      guard let text = PickleText.unquote(bytes[try line()]) else {
        throw unexpected("a quoted string", "another text before byte \(at)")
      }
      pickle.texts.append(text)
      stack.append(.text(pickle.texts.count - 1))
    case UInt8(ascii: "V"): stack.append(.bytes(try line()))
    default: return false
    }
    return true
  }

  /// Tuples, lists, sets and dictionaries; false for an operation of another kind.
  private mutating func changeContainer(_ code: UInt8) throws(PickleError) -> Bool {
    switch code {
    case UInt8(ascii: "("): stack.append(.mark)
    case UInt8(ascii: ")"): push([], Value.tuple)
    case UInt8(ascii: "t"): push(try popToMark(), Value.tuple)
    case 0x85, 0x86, 0x87:
      let count = Int(code) - 0x84
      guard stack.count >= count, !stack.suffix(count).contains(.mark) else {
        throw unexpected("\(count) values", "too few before byte \(at)")
      }
      let items = Array(stack.suffix(count))
      stack.removeLast(count)
      push(items, Value.tuple)
    case UInt8(ascii: "]"): push([], Value.list)
    case UInt8(ascii: "l"): push(try popToMark(), Value.list)
    case 0x8F: push([], Value.set)
    case 0x91: push(try popToMark(), Value.set)
    case UInt8(ascii: "}"): try push(dictionary: [])
    case UInt8(ascii: "d"): try push(dictionary: try popToMark())
    case UInt8(ascii: "a"): try append([try pop()])
    case UInt8(ascii: "e"), 0x90: try append(try popToMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      try set([try pop(), value])
    case UInt8(ascii: "u"): try set(try popToMark())
    default: return false
    }
    return true
  }

  /// Keeping values under a number and taking them again; false for an operation of another kind.
  private mutating func useMemo(_ code: UInt8) throws(PickleError) -> Bool {
    switch code {
    case UInt8(ascii: "p"): memo[try writtenIndex()] = try top()
    case UInt8(ascii: "q"): memo[try number(of: 1)] = try top()
    case UInt8(ascii: "r"): memo[try number(of: 4)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "g"): stack.append(try recall(try writtenIndex()))
    case UInt8(ascii: "h"): stack.append(try recall(try number(of: 1)))
    case UInt8(ascii: "j"): stack.append(try recall(try number(of: 4)))
    default: return false
    }
    return true
  }

  /// Names, calls and references; false for an operation of another kind.
  private mutating func describeObject(_ code: UInt8) throws(PickleError) -> Bool {
    switch code {
    case UInt8(ascii: "c"):
      let module = bytes[try line()]
      push(global: module, bytes[try line()])
    case 0x93:
      let name = try pop()
      guard let module = pickle.string(try pop()), let name = pickle.string(name) else {
        throw unexpected("a module and a name", "other values")
      }
      push(global: module, name)
    case UInt8(ascii: "R"), 0x81:
      let arguments = try pop()
      push(call: try pop(), arguments)
    case 0x92:
      // The keyword arguments of a class say nothing that is read here.
      _ = try pop()
      let arguments = try pop()
      push(call: try pop(), arguments)
    case UInt8(ascii: "i"):
      let module = bytes[try line()]
      let name = bytes[try line()]
      push(try popToMark(), Value.tuple)
      let arguments = try pop()
      push(global: module, name)
      push(call: try pop(), arguments)
    case UInt8(ascii: "o"):
      let items = try popToMark()
      guard let callable = items.first else { throw unexpected("a class", "nothing") }
      push(Array(items.dropFirst()), Value.tuple)
      push(call: callable, try pop())
    case UInt8(ascii: "b"):
      let state = try pop()
      guard case .object(let index) = try top() else {
        throw .refused(file: file, what: "a change of \(pickle.kind(try top()))")
      }
      pickle.objects[index].state = state
    case UInt8(ascii: "P"): push(reference: .bytes(try line()))
    case UInt8(ascii: "Q"): push(reference: try pop())
    default: return false
    }
    return true
  }

  // MARK: - Bytes

  /// Moves on by `count` bytes, none of which may lie behind the end.
  private mutating func take(_ count: Int) throws(PickleError) -> Range<Int> {
    // A length of 8 bytes may be negative as an Int.
    guard count >= 0, count <= bytes.count - at else {
      let (end, overflow) = at.addingReportingOverflow(count)
      throw .truncated(
        file: file, expected: overflow || count < 0 ? .max : end, found: bytes.count)
    }
    at += count
    return (at - count)..<at
  }

  /// A little-endian number without sign.
  private mutating func number(of count: Int) throws(PickleError) -> Int {
    bytes[try take(count)].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func line() throws(PickleError) -> Range<Int> {
    guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw .truncated(file: file, expected: bytes.count + 1, found: bytes.count)
    }
    defer { at = end + 1 }
    return at..<end
  }

  private mutating func checkProtocol() throws(PickleError) {
    let version = try number(of: 1)
    guard version <= 5 else {
      throw unexpected("a pickle of protocol 0 to 5", "protocol \(version)")
    }
  }

  private mutating func longInteger(byteCount: Int) throws(PickleError) -> Value {
    let range = try take(byteCount)
    guard byteCount <= 8 else { return .large(range) }
    let digits = bytes[range]
    let sign: UInt64 = (digits.last ?? 0) & 0x80 == 0 ? 0 : .max
    return .integer(
      Int(truncatingIfNeeded: digits.reversed().reduce(sign) { $0 << 8 | UInt64($1) }))
  }

  private mutating func writtenInteger() throws(PickleError) -> Value {
    let range = try line()
    var text = String(decoding: bytes[range].prefix(32), as: UTF8.self)
    if text == "00" { return .bool(false) }
    if text == "01" { return .bool(true) }
    if text.hasSuffix("L") { text.removeLast() }
    guard let number = Int(text) else { throw unexpected("an integer", "“\(text)”") }
    return .integer(number)
  }

  private mutating func writtenIndex() throws(PickleError) -> Int {
    guard case .integer(let index) = try writtenInteger() else { return 0 }
    return index
  }

  // MARK: - Stack

  private mutating func pop() throws(PickleError) -> Value {
    guard let value = stack.popLast(), value != .mark else {
      throw unexpected("a value", "an empty stack before byte \(at)")
    }
    return value
  }

  private func top() throws(PickleError) -> Value {
    guard let value = stack.last, value != .mark else {
      throw unexpected("a value", "an empty stack before byte \(at)")
    }
    return value
  }

  private mutating func popToMark() throws(PickleError) -> [Value] {
    guard let mark = stack.lastIndex(of: .mark) else {
      throw unexpected("a mark", "none before byte \(at)")
    }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[(mark + 1)...])
  }

  private func recall(_ index: Int) throws(PickleError) -> Value {
    guard let value = memo[index] else {
      throw unexpected("a value kept under \(index)", "none")
    }
    return value
  }

  private mutating func push(_ items: [Value], _ kind: (Int) -> Value) {
    pickle.sequences.append(items)
    stack.append(kind(pickle.sequences.count - 1))
  }

  private mutating func push(dictionary items: [Value]) throws(PickleError) {
    pickle.dictionaries.append(try pairs(items))
    stack.append(.dictionary(pickle.dictionaries.count - 1))
  }

  private mutating func push(
    global module: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>
  ) {
    let parts = [module, name].map { String(decoding: $0.prefix(100), as: UTF8.self) }
    pickle.globals.append(parts.joined(separator: "."))
    stack.append(.global(pickle.globals.count - 1))
  }

  private mutating func push(call callable: Value, _ arguments: Value) {
    pickle.sequences.append([])
    pickle.dictionaries.append([])
    pickle.objects.append(
      Pickle.Object(
        callable: callable, arguments: arguments, items: pickle.sequences.count - 1,
        members: pickle.dictionaries.count - 1))
    stack.append(.object(pickle.objects.count - 1))
  }

  private mutating func push(reference value: Value) {
    pickle.references.append(value)
    stack.append(.reference(pickle.references.count - 1))
  }

  private mutating func append(_ items: [Value]) throws(PickleError) {
    switch try top() {
    case .list(let index), .set(let index): pickle.sequences[index] += items
    case .object(let index): pickle.sequences[pickle.objects[index].items] += items
    case let other: throw unexpected("a list", pickle.kind(other))
    }
  }

  private mutating func set(_ items: [Value]) throws(PickleError) {
    switch try top() {
    case .dictionary(let index): pickle.dictionaries[index] += try pairs(items)
    case .object(let index):
      pickle.dictionaries[pickle.objects[index].members] += try pairs(items)
    case let other: throw unexpected("a dictionary", pickle.kind(other))
    }
  }

  private func pairs(_ items: [Value]) throws(PickleError) -> [(key: Value, value: Value)] {
    guard items.count.isMultiple(of: 2) else {
      throw unexpected("a value for every key", "\(items.count) keys and values")
    }
    return stride(from: 0, to: items.count, by: 2).map { (items[$0], items[$0 + 1]) }
  }

  private func unexpected(_ expected: String, _ found: String) -> PickleError {
    .unexpected(file: file, expected: expected, found: found)
  }
}

/// Strings of protocol 0, which are written as Python source.
private enum PickleText {
  /// Takes off the quotes and resolves the escapes that Python writes; nil for another text.
  static func unquote(_ quoted: ArraySlice<UInt8>) -> [UInt8]? {
    let backslash = UInt8(ascii: "\\")
    guard quoted.count >= 2, let quote = quoted.first, quote == quoted.last,
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
    else { return nil }
    var text: [UInt8] = []
    var rest = quoted.dropFirst().dropLast()
    while let byte = rest.popFirst() {
      guard byte == backslash else {
        text.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "n"): text.append(10)
      case UInt8(ascii: "r"): text.append(13)
      case UInt8(ascii: "t"): text.append(9)
      case UInt8(ascii: "x"):
        let digits = String(decoding: rest.prefix(2), as: UTF8.self)
        guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
        text.append(value)
        rest = rest.dropFirst(2)
      case let character?
      where [backslash, UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(character):
        text.append(character)
      default: return nil
      }
    }
    return text
  }
}
