import Foundation
import NamidFiles
import NamidTorch

/// A tensor of an exported program as it lies in the archive: the bytes of a storage and how to walk over them.
struct StoredTensor: Sendable {
  let entry: ZipArchive.Entry
  let dtype: DType
  let shape: [Int]
  let strides: [Int]
  let offset: Int

  /// The number of elements.
  var count: Int { shape.reduce(1, *) }
  /// Bytes once it is read.
  var byteCount: Int { count * dtype.byteCount }

  /// A row of a table of weights or constants.
  ///
  /// - Parameters:
  ///   - name: The tensor's name, for messages.
  ///   - row: The row.
  ///   - folder: The folder of the bytes, with its slash.
  ///   - archive: The archive.
  /// - Throws: `ExportedProgramError` where the row does not describe bytes of the archive.
  init(
    _ name: String, _ row: JSONValue, in folder: String, of archive: ExportedArchive
  ) throws(ExportedProgramError) {
    let label = "the tensor \(quotedForPeople(name))"
    guard row["use_pickle"]?.boolValue != true, let meta = row["tensor_meta"] else {
      throw ExportedProgramError(
        "\(label) is a pickled object", advice: "make it a plain tensor before the export")
    }
    guard let path = row["path_name"]?.stringValue,
      let entry = archive.zip[archive.root + folder + path]
    else { throw ExportedProgramError("\(label) has no bytes in the archive") }
    guard let dtype = ExportedCodes.dtype(meta["dtype"]?.intValue) else {
      throw ExportedProgramError("\(label) has an element type that is not supported")
    }
    guard let shape = Self.numbers(meta["sizes"]), let strides = Self.numbers(meta["strides"]),
      let offset = Self.number(meta["storage_offset"]), shape.count == strides.count,
      shape.count <= Self.mostDimensions
    else { throw ExportedProgramError("\(label) has no sizes, strides and offset") }
    guard ExportedCodes.isStrided(meta["layout"]?.intValue) else {
      throw ExportedProgramError("\(label) is sparse", advice: "make it dense before the export")
    }
    guard offset >= 0, (shape + strides).allSatisfy({ $0 >= 0 }),
      let end = Self.end(shape, strides, offset), end <= entry.count / dtype.byteCount
    else {
      throw ExportedProgramError(
        """
        \(label) of shape \(shape) with strides \(strides) from \(offset) on reaches beyond its \
        \(entry.count) bytes
        """)
    }
    (self.entry, self.dtype, self.shape) = (entry, dtype, shape)
    (self.strides, self.offset) = (strides, offset)
  }

  /// The most dimensions of a tensor in a file.
  static let mostDimensions = 16

  /// The elements in row-major order.
  func record(of archive: ExportedArchive) throws -> TensorRecord {
    var bytes = try archive.zip.content(of: entry)
    if archive.isBigEndian { Self.swap(&bytes, dtype.byteCount) }
    if dtype == .bool { for i in bytes.indices where bytes[i] > 1 { bytes[i] = 1 } }
    let start = offset * dtype.byteCount
    if isRowMajor {
      let data =
        start == 0 && byteCount == bytes.count
        ? Data(bytes) : Data(bytes[start..<start + byteCount])
      return TensorRecord(dtype: dtype, shape: shape, bytes: data)
    }
    return TensorRecord(dtype: dtype, shape: shape, bytes: gathered(bytes))
  }

  private var isRowMajor: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      if stride != expected { return false }
      expected *= size
    }
    return true
  }

  /// The elements picked one by one.
  private func gathered(_ bytes: [UInt8]) -> Data {
    let size = dtype.byteCount
    var result = Data(capacity: byteCount)
    var position = [Int](repeating: 0, count: shape.count)
    var place = offset
    for _ in 0..<count {
      result.append(contentsOf: bytes[place * size..<(place + 1) * size])
      for axis in shape.indices.reversed() {
        position[axis] += 1
        place += strides[axis]
        if position[axis] < shape[axis] { break }
        place -= strides[axis] * shape[axis]
        position[axis] = 0
      }
    }
    return result
  }

  private static func swap(_ bytes: inout [UInt8], _ size: Int) {
    guard size > 1 else { return }
    for start in stride(from: 0, through: bytes.count - size, by: size) {
      bytes[start..<start + size].reverse()
    }
  }

  /// The number of elements that a storage needs; nil for one beyond all memory.
  private static func end(_ shape: [Int], _ strides: [Int], _ offset: Int) -> Int? {
    var (count, last) = (1, offset)
    for (size, stride) in zip(shape, strides) {
      let (product, overflow) = count.multipliedReportingOverflow(by: max(size, 1))
      let (step, stepOverflow) = stride.multipliedReportingOverflow(by: max(size - 1, 0))
      let (sum, sumOverflow) = last.addingReportingOverflow(step)
      if overflow || stepOverflow || sumOverflow { return nil }
      (count, last) = (product, sum)
    }
    // Strides of 0 repeat elements, so the shape has a bound of its own.
    guard count <= 1 << 40 else { return nil }
    return shape.contains(0) ? 0 : last < Int.max ? last + 1 : nil
  }

  private static func numbers(_ list: JSONValue?) -> [Int]? {
    guard let list = list?.arrayValue else { return nil }
    let numbers = list.compactMap(number)
    return numbers.count == list.count ? numbers : nil
  }

  private static func number(_ value: JSONValue?) -> Int? { value?["as_int"]?.intValue }
}

/// The numbers that the format uses for element types, layouts and memory formats.
enum ExportedCodes {
  /// The element type of a code; nil for those that this library does not use.
  static func dtype(_ code: Int?) -> DType? {
    switch code {
    case 1: .uint8
    case 2: .int8
    case 3: .int16
    case 4: .int32
    case 5: .int64
    case 6: .float16
    case 7: .float32
    case 8: .float64
    case 12: .bool
    case 13: .bfloat16
    default: nil
    }
  }

  /// True for the code of plain dense tensors.
  static func isStrided(_ code: Int?) -> Bool { code == 7 || code == nil }

  /// The code of c10's memory format; nil for an unknown one.
  static func memoryFormat(_ code: Int?) -> Int? {
    switch code {
    case 1: 0
    case 2: 2
    case 3: 3
    case 4: 1
    default: nil
    }
  }
}
