import NamidFiles

/// The header of a file, checked against the length of the data that follows it.
struct SafetensorsHeader {
  typealias Problem = SafetensorsError.Problem

  struct Entry {
    let name: String
    let dtype: DType
    let shape: [Int]
    let range: Range<Int>
  }

  // Both are laid down by the format.
  static let metadataKey = "__metadata__"
  static let longest = 100_000_000
  static let offset = 8

  let metadata: [String: String]
  /// The tensors in the order of their data.
  let entries: [Entry]

  init(_ bytes: some Sequence<UInt8>, bufferLength: Int) throws(Problem) {
    let header: JSONValue
    do {
      header = try JSONValue(parsing: bytes)
    } catch {
      throw .malformedHeader(offset: Self.offset + error.offset, reason: error.reason)
    }
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    for (name, value) in try Self.members(of: header, tensor: nil) {
      if name == Self.metadataKey {
        for (key, value) in try Self.members(of: value, tensor: nil) {
          metadata[key] = try Self.text(value, "as value of \(name)", tensor: nil)
        }
      } else {
        entries.append(try Self.entry(named: name, value, bufferLength: bufferLength))
      }
    }
    self.metadata = metadata
    self.entries = try Self.covering(bufferLength, entries)
  }

  private static func entry(
    named name: String, _ value: JSONValue, bufferLength: Int
  ) throws(Problem) -> Entry {
    let fields = try members(of: value, tensor: name)
    let known = ["dtype", "shape", "data_offsets"]
    if let unknown = fields.keys.first(where: { !known.contains($0) }) {
      throw .unexpectedValue(
        expected: "only dtype, shape and data_offsets", found: "key \(quotedForPeople(unknown))",
        tensor: name)
    }
    for field in known where fields[field] == nil { throw .missingField(field, tensor: name) }
    let type = try text(fields["dtype"], "as dtype", tensor: name)
    guard let dtype = DType(safetensorsName: type) else {
      throw .unsupportedDType(type, tensor: name)
    }
    let shape = try integers(fields["shape"], in: "shape", of: name)
    let offsets = try integers(fields["data_offsets"], in: "data_offsets", of: name)
    guard offsets.count == 2 else {
      throw .unexpectedValue(expected: "2 data_offsets", found: "\(offsets.count)", tensor: name)
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end else { throw .offsetsReversed(begin: begin, end: end, tensor: name) }
    guard end <= bufferLength else {
      throw .offsetsBeyondBuffer(begin: begin, end: end, bufferLength: bufferLength, tensor: name)
    }
    guard let expected = dtype.checkedByteCount(shape: shape) else {
      throw .shapeOverflow(shape, dtype: dtype, tensor: name)
    }
    guard end - begin == expected else {
      throw .byteCountMismatch(
        expected: expected, found: end - begin, shape: shape, dtype: dtype, tensor: name)
    }
    return Entry(name: name, dtype: dtype, shape: shape, range: begin..<end)
  }

  private static func members(
    of value: JSONValue, tensor: String?
  ) throws(Problem) -> JSONObject {
    guard let object = value.objectValue else {
      throw unexpected(value, expected: "an object", tensor: tensor)
    }
    return object
  }

  private static func text(
    _ value: JSONValue?, _ use: String, tensor: String?
  ) throws(Problem) -> String {
    guard let text = value?.stringValue else {
      throw unexpected(value, expected: "a string \(use)", tensor: tensor)
    }
    return text
  }

  private static func integers(
    _ value: JSONValue?, in field: String, of tensor: String
  ) throws(Problem) -> [Int] {
    guard let elements = value?.arrayValue else {
      throw unexpected(value, expected: "an array as \(field)", tensor: tensor)
    }
    var result: [Int] = []
    for element in elements {
      let place = "\(field)[\(result.count)]"
      switch element {
      case .int(let int) where int >= 0: result.append(int)
      case .int, .double:
        throw .invalidNumber(
          element.text(), fault: fault(of: element), field: place, tensor: tensor)
      default: throw unexpected(element, expected: "a number as \(place)", tensor: tensor)
      }
    }
    return result
  }

  private static func fault(of number: JSONValue) -> SafetensorsError.NumberFault {
    guard let value = number.doubleValue, value.sign == .plus else { return .negative }
    return value < 0x1p63 ? .fractional : .tooLarge
  }

  private static func unexpected(
    _ value: JSONValue?, expected: String, tensor: String?
  ) -> Problem {
    let found =
      switch value ?? .null {
      case .array(let elements): "an array of \(elements.count)"
      case .object(let object): "an object of \(object.count)"
      case .string(let text): quotedForPeople(text)
      case let scalar: scalar.text()
      }
    return .unexpectedValue(expected: expected, found: found, tensor: tensor)
  }

  /// The tensors in the order of their data.
  ///
  /// They must lie end to end: shared bytes or bytes that nobody owns are room for a file that means two things.
  private static func covering(
    _ bufferLength: Int, _ entries: [Entry]
  ) throws(Problem) -> [Entry] {
    let sorted = entries.enumerated().sorted { a, b in
      (a.element.range.lowerBound, a.element.range.upperBound, a.offset)
        < (b.element.range.lowerBound, b.element.range.upperBound, b.offset)
    }.map(\.element)
    var end = 0
    var previous = ""
    for entry in sorted {
      let begin = entry.range.lowerBound
      if begin < end {
        throw .overlap(begin: begin, tensor: entry.name, previousEnd: end, previous: previous)
      }
      if begin > end { throw .hole(end..<begin, before: entry.name) }
      (end, previous) = (entry.range.upperBound, entry.name)
    }
    if end != bufferLength { throw .uncoveredTail(end..<bufferLength) }
    return sorted
  }
}
