/// The element type of a tensor; raw values are those of `c10::ScalarType`.
public enum DType: Int8, CaseIterable, Sendable {
  /// Whole numbers from 0 to 255: pixels.
  case uint8 = 0
  /// Whole numbers of 8 bits.
  case int8 = 1
  /// Whole numbers of 16 bits.
  case int16 = 2
  /// Whole numbers of 32 bits.
  case int32 = 3
  /// Whole numbers of 64 bits: labels and indices.
  case int64 = 4
  /// IEEE numbers of 16 bits.
  case float16 = 5
  /// IEEE numbers of 32 bits: what is measured is measured in these.
  case float32 = 6
  /// IEEE numbers of 64 bits.
  case float64 = 7
  /// Truth values, a byte each.
  case bool = 11
  /// The range of float32 with 8 bits of significand: training may compute in these.
  case bfloat16 = 15

  /// Bytes per element.
  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }

  /// True where values are floating-point numbers.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }
}

/// A Swift type whose values are stored in a tensor as they are.
public protocol TensorElement: Sendable {
  /// The tensor element type with the same bytes.
  static var dtype: DType { get }
}

extension UInt8: TensorElement {
  /// 8-bit unsigned integers.
  public static var dtype: DType { .uint8 }
}
extension Int32: TensorElement {
  /// 32-bit signed integers.
  public static var dtype: DType { .int32 }
}
extension Int: TensorElement {
  /// 64-bit signed integers.
  public static var dtype: DType { .int64 }
}
extension Float: TensorElement {
  /// 32-bit floating-point numbers.
  public static var dtype: DType { .float32 }
}
extension Double: TensorElement {
  /// 64-bit floating-point numbers.
  public static var dtype: DType { .float64 }
}
extension Bool: TensorElement {
  /// One byte per truth value.
  public static var dtype: DType { .bool }
}
