/// A type of number in NumPy's format, by its code.
public enum NPYElement: String, Sendable, CaseIterable {
  /// One byte, 0 or 1.
  case bool = "b1"
  /// Integers of 8 bits.
  case int8 = "i1"
  /// Integers of 16 bits.
  case int16 = "i2"
  /// Integers of 32 bits.
  case int32 = "i4"
  /// Integers of 64 bits.
  case int64 = "i8"
  /// Integers of 8 bits without sign.
  case uint8 = "u1"
  /// Integers of 16 bits without sign.
  case uint16 = "u2"
  /// Integers of 32 bits without sign.
  case uint32 = "u4"
  /// Integers of 64 bits without sign.
  case uint64 = "u8"
  /// Floating-point numbers of 16 bits.
  case float16 = "f2"
  /// Floating-point numbers of 32 bits.
  case float32 = "f4"
  /// Floating-point numbers of 64 bits.
  case float64 = "f8"

  /// Bytes of one number.
  public var byteCount: Int {
    switch self {
    case .bool, .int8, .uint8: 1
    case .int16, .uint16, .float16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  /// The name of the type in NumPy, such as `float32`.
  public var title: String { "\(self)" }

  /// The numbers that some bytes hold, in the byte order of this machine, as float64.
  public func doubles(_ bytes: [UInt8]) -> [Double] {
    bytes.withUnsafeBytes { raw in
      switch self {
      case .bool: raw.numbers(UInt8.self) { $0 == 0 ? 0 : 1 }
      case .int8: raw.numbers(Int8.self) { Double($0) }
      case .int16: raw.numbers(Int16.self) { Double($0) }
      case .int32: raw.numbers(Int32.self) { Double($0) }
      case .int64: raw.numbers(Int64.self) { Double($0) }
      case .uint8: raw.numbers(UInt8.self) { Double($0) }
      case .uint16: raw.numbers(UInt16.self) { Double($0) }
      case .uint32: raw.numbers(UInt32.self) { Double($0) }
      case .uint64: raw.numbers(UInt64.self) { Double($0) }
      case .float16: raw.numbers(UInt16.self) { halfValue($0) }
      case .float32: raw.numbers(Float.self) { Double($0) }
      case .float64: raw.numbers(Double.self) { $0 }
      }
    }
  }

  /// The integers that some bytes hold; nil for other types, and where one is beyond `Int`.
  public func integers(_ bytes: [UInt8]) -> [Int]? {
    bytes.withUnsafeBytes { raw -> [Int]? in
      switch self {
      case .int8: return raw.numbers(Int8.self) { Int($0) }
      case .int16: return raw.numbers(Int16.self) { Int($0) }
      case .int32: return raw.numbers(Int32.self) { Int($0) }
      case .int64: return raw.numbers(Int64.self) { Int($0) }
      case .uint8: return raw.numbers(UInt8.self) { Int($0) }
      case .uint16: return raw.numbers(UInt16.self) { Int($0) }
      case .uint32: return raw.numbers(UInt32.self) { Int($0) }
      case .uint64:
        let values = raw.numbers(UInt64.self) { Int(exactly: $0) ?? -1 }
        return values.contains(-1) ? nil : values
      case .bool, .float16, .float32, .float64: return nil
      }
    }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func numbers<Number: BitwiseCopyable, Result>(
    _: Number.Type, _ convert: (Number) -> Result
  ) -> [Result] {
    let size = MemoryLayout<Number>.size
    return (0..<count / size).map {
      convert(loadUnaligned(fromByteOffset: $0 * size, as: Number.self))
    }
  }
}

/// The value of a floating-point number of 16 bits (IEEE 754 binary16).
private func halfValue(_ bits: UInt16) -> Double {
  let sign: Double = bits >> 15 == 0 ? 1 : -1
  let exponent = Int(bits >> 10 & 0x1F)
  let fraction = Double(bits & 0x3FF) / 1024
  switch exponent {
  case 0: return sign * fraction * 0x1p-14
  case 31: return fraction == 0 ? sign * .infinity : .nan
  default:
    return sign * (1 + fraction) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
  }
}
