import Foundation

/// One tensor as it lies in a file: element type, shape, and row-major little-endian bytes.
public struct TensorRecord: Equatable, Sendable {
  /// Type of the elements.
  public let dtype: DType
  /// Length of every axis; empty for a 0-rank tensor, which holds one element.
  public let shape: [Int]
  /// The elements, last axis fastest, `dtype.byteCount` bytes each.
  public let bytes: Data

  /// Makes a record; that the bytes fit the shape is checked when it is written.
  public init(dtype: DType, shape: [Int], bytes: Data) {
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }
}

extension DType {
  // The official writer orders tensors by this list, then by name. It is descending in size, which
  // keeps every tensor aligned; following it to the letter makes our files equal to Python's.
  static let safetensorsOrder: [DType] = [
    .int64, .float64, .float32, .int32, .bfloat16, .float16, .int16, .int8, .uint8, .bool,
  ]

  var safetensorsName: String {
    switch self {
    case .uint8: "U8"
    case .int8: "I8"
    case .int16: "I16"
    case .int32: "I32"
    case .int64: "I64"
    case .float16: "F16"
    case .float32: "F32"
    case .float64: "F64"
    case .bool: "BOOL"
    case .bfloat16: "BF16"
    }
  }

  init?(safetensorsName name: String) {
    guard let match = Self.safetensorsOrder.first(where: { $0.safetensorsName == name }) else {
      return nil
    }
    self = match
  }

  // Zero-length axes count as one: strides multiply them so, and a shape whose strides overflow
  // is no more usable for being empty.
  func checkedByteCount(shape: [Int]) -> Int? {
    var product = byteCount
    for length in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: max(length, 1))
      if overflow { return nil }
      product = next
    }
    return shape.contains(0) ? 0 : product
  }
}

extension TensorRecord {
  // Engines hold a truth value in a C++ bool, for which any byte but 0 and 1 is undefined
  // behaviour.
  static func firstNonBoolean(in bytes: Data, dtype: DType) -> (index: Int, value: UInt8)? {
    guard dtype == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) else { return nil }
    return (bytes.distance(from: bytes.startIndex, to: index), bytes[index])
  }
}
