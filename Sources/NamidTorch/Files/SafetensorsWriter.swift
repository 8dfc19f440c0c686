import Foundation
import NamidFiles

extension SafetensorsFile {
  /// Writes tensors so that the file at `url` is either the old one or the whole new one.
  ///
  /// - Throws: A ``SafetensorsError`` for tensors that the format cannot hold, and a `FileError` where the disk
  ///   refuses.
  public static func write(
    _ records: [(name: String, record: TensorRecord)], metadata: [String: String] = [:],
    to url: URL
  ) throws {
    let plan = try plan(records, metadata, named: url.path)
    try AtomicFile.write(to: url) { writer in
      try writer.write(plan.head)
      for place in plan.order { try writer.write(records[place].record.bytes) }
    }
  }

  /// The contents of a file with these tensors, byte for byte those that the Python package writes.
  ///
  /// The order of `records` does not matter. Metadata is sorted by key (Python's order is random),
  /// so equal input gives equal files. `name` stands for the path in errors.
  public static func encode(
    _ records: [(name: String, record: TensorRecord)], metadata: [String: String] = [:],
    named name: String = "safetensors data"
  ) throws(SafetensorsError) -> Data {
    let plan = try plan(records, metadata, named: name)
    return plan.order.reduce(into: plan.head) { $0.append(records[$1].record.bytes) }
  }

  private static func plan(
    _ records: [(name: String, record: TensorRecord)], _ metadata: [String: String],
    named name: String
  ) throws(SafetensorsError) -> Plan {
    do throws(SafetensorsError.Problem) {
      let plan = try Plan(records.map { ($0.name, $0.record.dtype, $0.record.shape) }, metadata)
      for (name, record) in records { try record.check(named: name) }
      return plan
    } catch {
      throw SafetensorsError(file: name, operation: .writing, problem: error)
    }
  }

  /// A file before it is written: its first bytes, and the order of the tensors behind them.
  struct Plan {
    /// The header with its length.
    let head: Data
    /// The tensors' places in the list that was given, in the order of their bytes.
    let order: [Int]

    init(
      _ layouts: [(name: String, dtype: DType, shape: [Int])], _ metadata: [String: String],
      longestHeader: Int = SafetensorsHeader.longest
    ) throws(SafetensorsError.Problem) {
      order = DType.safetensorsOrder.flatMap { dtype in
        layouts.indices.filter { layouts[$0].dtype == dtype }
          .sorted { precedes(layouts[$0].name, layouts[$1].name) }
      }
      var members = JSONObject()
      if !metadata.isEmpty {
        let sorted = metadata.sorted { precedes($0.key, $1.key) }
        members[SafetensorsHeader.metadataKey] = .object(
          JSONObject(sorted.map { ($0.key, .string($0.value)) }))
      }
      var end = 0
      for place in order {
        let (name, dtype, shape) = layouts[place]
        if name == SafetensorsHeader.metadataKey { throw .reservedName(name) }
        guard members[name] == nil else { throw .duplicateName(name) }
        guard shape.allSatisfy({ $0 >= 0 }) else { throw .negativeLength(shape, tensor: name) }
        guard let count = dtype.checkedByteCount(shape: shape) else {
          throw .shapeOverflow(shape, dtype: dtype, tensor: name)
        }
        members[name] = [
          "dtype": .string(dtype.safetensorsName), "shape": .array(shape.map { .int($0) }),
          "data_offsets": [.int(end), .int(end + count)],
        ]
        end += count
      }
      var header = JSONValue.object(members).data()
      // Eight bytes of length precede it, so the tensor data is aligned to eight as well.
      header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -header.count & 7))
      guard header.count <= longestHeader else {
        throw .headerTooLong(declared: UInt64(header.count), limit: longestHeader)
      }
      head = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
    }
  }
}

extension TensorRecord {
  /// Throws unless the bytes are as many as shape and type ask for, and truth values are 0 or 1.
  fileprivate func check(named name: String) throws(SafetensorsError.Problem) {
    let expected = dtype.checkedByteCount(shape: shape) ?? 0
    guard bytes.count == expected else {
      throw .byteCountMismatch(
        expected: expected, found: bytes.count, shape: shape, dtype: dtype, tensor: name)
    }
    if let (index, value) = Self.firstNonBoolean(in: bytes, dtype: dtype) {
      throw .notBoolean(value, index: index, tensor: name)
    }
  }
}

/// Orders texts by their bytes, as other languages do; Swift's own order goes by canonical equivalence.
private func precedes(_ a: String, _ b: String) -> Bool {
  a.utf8.lexicographicallyPrecedes(b.utf8)
}
