import Foundation

/// One array in NumPy's format: little-endian floats or integers, of rank 1 or 2, in C order.
struct NPYArray {
  let values: [Double]
  let columns: Int

  init(_ data: Data, file: String) throws(SampleTableError) {
    func wrong(_ found: String, _ expected: String) -> SampleTableError {
      .foreign(file: file, found: found, expected: expected)
    }
    let bytes = [UInt8](data)
    guard bytes.count >= 12, Array(bytes[0..<6]) == [0x93] + Array("NUMPY".utf8) else {
      throw wrong("no NumPy header", "an array written by numpy.save")
    }
    let (start, length) =
      bytes[6] == 1
      ? (10, Int(bytes[8]) | Int(bytes[9]) << 8)
      : (12, (0..<4).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) })
    guard length <= 65_536, start + length <= bytes.count else {
      throw wrong("a header of \(length) bytes", "a whole file")
    }
    let header = String(decoding: bytes[start..<(start + length)], as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr':\s*'([^']*)'/)?.1,
      let shapeText = header.firstMatch(of: /'shape':\s*\(([^)]*)\)/)?.1
    else { throw wrong("the header \(header.prefix(80))", "descr and shape") }
    if header.contains(/'fortran_order':\s*True/) {
      throw wrong("an array in Fortran order", "C order: numpy.ascontiguousarray")
    }
    let sizes = shapeText.split(separator: ",").compactMap {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    guard (1...2).contains(sizes.count), sizes.allSatisfy({ $0 >= 0 && $0 <= 1 << 30 }) else {
      throw wrong("an array of shape (\(shapeText))", "rank 1 or 2")
    }
    // At most 2⁶⁰; eight bytes for each would be too many for an Int, so the file's numbers are counted instead.
    let count = sizes.reduce(1, *)
    let body = bytes[(start + length)...]
    func numbers<Number>(_: Number.Type, _ convert: (Number) -> Double) throws(SampleTableError)
      -> [Double]
    {
      let size = MemoryLayout<Number>.size
      guard body.count == body.count / size * size, body.count / size == count else {
        throw wrong("\(body.count) bytes", "\(count) numbers of \(size) bytes each: a whole file")
      }
      return body.withUnsafeBytes { raw in
        (0..<count).map { convert(raw.loadUnaligned(fromByteOffset: $0 * size, as: Number.self)) }
      }
    }
    values =
      switch type {
      case "<f8": try numbers(Double.self) { $0 }
      case "<f4": try numbers(Float.self) { Double($0) }
      case "<i8": try numbers(Int64.self) { Double(Int64(littleEndian: $0)) }
      case "<i4": try numbers(Int32.self) { Double(Int32(littleEndian: $0)) }
      case "|u1": try numbers(UInt8.self) { Double($0) }
      default: throw wrong("numbers of type \(type)", "float64, float32, int64, int32 or uint8")
      }
    columns = sizes.count == 1 ? 1 : sizes[1]
  }
}
