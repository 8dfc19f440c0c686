// What a header says, checked against the length of the data that follows it.
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

  private(set) var metadata: [String: String] = [:]
  // In the order of their data.
  private(set) var entries: [Entry] = []

  init(_ bytes: [UInt8], bufferLength: Int) throws(Problem) {
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    var scanner = try SafetensorsScanner(bytes)
    try scanner.object { (scanner, key, _) throws(Problem) in
      if key == Self.metadataKey {
        try scanner.object { (scanner, key, _) throws(Problem) in
          metadata[key] = try scanner.string("a string as value of \(Self.metadataKey)")
        }
      } else {
        scanner.tensor = key
        entries.append(try Self.entry(named: key, &scanner, bufferLength: bufferLength))
        scanner.tensor = nil
      }
    }
    try scanner.finish()
    self.metadata = metadata
    self.entries = try Self.covering(bufferLength, entries)
  }

  private static func entry(
    named name: String, _ scanner: inout SafetensorsScanner, bufferLength: Int
  ) throws(Problem) -> Entry {
    var dtype: DType?
    var shape: [Int]?
    var offsets: (begin: Int, end: Int)?
    try scanner.object { (scanner, key, keyOffset) throws(Problem) in
      switch key {
      case "dtype":
        let text = try scanner.string("a string as dtype")
        dtype = DType(safetensorsName: text)
        if dtype == nil { throw .unsupportedDType(text, tensor: name) }
      case "shape":
        shape = try integers(in: key, of: name, &scanner)
      case "data_offsets":
        scanner.skipSpace()
        let offset = scanner.offset
        let found = try integers(in: key, of: name, &scanner)
        guard found.count == 2 else {
          throw scanner.malformed("2 data_offsets", found: "\(found.count)", offset: offset)
        }
        offsets = (found[0], found[1])
      default:
        throw scanner.malformed(
          "only dtype, shape and data_offsets", found: "key \(Problem.shown(key))",
          offset: keyOffset)
      }
    }
    guard let dtype else { throw .missingField("dtype", tensor: name) }
    guard let shape else { throw .missingField("shape", tensor: name) }
    guard let (begin, end) = offsets else { throw .missingField("data_offsets", tensor: name) }
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

  private static func integers(
    in field: String, of tensor: String, _ scanner: inout SafetensorsScanner
  ) throws(Problem) -> [Int] {
    var result: [Int] = []
    try scanner.array { scanner throws(Problem) in
      let (text, offset) = try scanner.number()
      let fault: SafetensorsError.NumberFault
      if text.hasPrefix("-") {
        fault = .negative
      } else if text.contains(where: { ".eE".contains($0) }) {
        fault = .fractional
      } else if let value = Int(text) {
        result.append(value)
        return
      } else {
        fault = .tooLarge
      }
      throw .invalidNumber(
        text, fault: fault, field: "\(field)[\(result.count)]", offset: offset, tensor: tensor)
    }
    return result
  }

  // The tensors must lie end to end: shared bytes or bytes that nobody owns are room for a file
  // that means two things.
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
