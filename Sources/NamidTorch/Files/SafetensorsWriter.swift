import Foundation

extension SafetensorsFile {
  /// The contents of a file with these tensors, byte for byte those that the Python package writes.
  ///
  /// The order of `records` does not matter. Metadata is sorted by key (Python's order is random),
  /// so equal input gives equal files. `name` stands for the path in errors.
  public static func encode(
    _ records: [(name: String, record: TensorRecord)], metadata: [String: String] = [:],
    named name: String = "safetensors data"
  ) throws(SafetensorsError) -> Data {
    do {
      let plan = try Plan(records, metadata)
      return plan.records.reduce(into: plan.head) { $0.append($1.bytes) }
    } catch {
      throw SafetensorsError(error, .writing, name)
    }
  }

  // A file before it is a file: what comes first, and the tensors whose bytes follow.
  struct Plan {
    let head: Data
    let records: [TensorRecord]

    init(
      _ records: [(name: String, record: TensorRecord)], _ metadata: [String: String],
      longestHeader: Int = SafetensorsHeader.longest
    ) throws(SafetensorsError.Problem) {
      try check(records)
      let sorted = DType.safetensorsOrder.flatMap { dtype in
        records.filter { $0.record.dtype == dtype }.sorted { precedes($0.name, $1.name) }
      }
      var header = Array(json(sorted, metadata).utf8)
      // Eight bytes of length precede it, so the tensor data is aligned to eight as well.
      header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -header.count & 7))
      guard header.count <= longestHeader else {
        throw .headerTooLong(declared: UInt64(header.count), limit: longestHeader)
      }
      head = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
      self.records = sorted.map(\.record)
    }
  }
}

private func check(
  _ records: [(name: String, record: TensorRecord)]
) throws(SafetensorsError.Problem) {
  var names: Set<String> = []
  for (name, record) in records {
    if name == SafetensorsHeader.metadataKey { throw .reservedName(name) }
    guard names.insert(name).inserted else { throw .duplicateName(name) }
    let (dtype, shape) = (record.dtype, record.shape)
    guard shape.allSatisfy({ $0 >= 0 }) else { throw .negativeLength(shape, tensor: name) }
    guard let expected = dtype.checkedByteCount(shape: shape) else {
      throw .shapeOverflow(shape, dtype: dtype, tensor: name)
    }
    guard record.bytes.count == expected else {
      throw .byteCountMismatch(
        expected: expected, found: record.bytes.count, shape: shape, dtype: dtype, tensor: name)
    }
    if let (index, value) = TensorRecord.firstNonBoolean(in: record.bytes, dtype: dtype) {
      throw .notBoolean(value, index: index, tensor: name)
    }
  }
}

private func json(
  _ sorted: [(name: String, record: TensorRecord)], _ metadata: [String: String]
) -> String {
  var fields: [String] = []
  if !metadata.isEmpty {
    let pairs = metadata.sorted { precedes($0.key, $1.key) }
      .map { "\(quoted($0.key)):\(quoted($0.value))" }
    fields.append("\(quoted(SafetensorsHeader.metadataKey)):{\(pairs.joined(separator: ","))}")
  }
  var end = 0
  for (name, record) in sorted {
    let begin = end
    end += record.bytes.count
    let shape = record.shape.map(String.init).joined(separator: ",")
    fields.append(
      "\(quoted(name)):{\"dtype\":\"\(record.dtype.safetensorsName)\",\"shape\":[\(shape)],"
        + "\"data_offsets\":[\(begin),\(end)]}")
  }
  return "{\(fields.joined(separator: ","))}"
}

// By bytes, as in other languages; Swift's own order of strings goes by canonical equivalence.
private func precedes(_ a: String, _ b: String) -> Bool {
  a.utf8.lexicographicallyPrecedes(b.utf8)
}

private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\u{08}": result += "\\b"
    case "\u{0C}": result += "\\f"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case ..<"\u{20}":
      result += scalar.value < 0x10 ? "\\u000" : "\\u00"
      result += String(scalar.value, radix: 16)
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
