import CNamidImaging
import Foundation
import NamidFiles

/// The numeric arrays of a file of MATLAB's version 5 to 7 (MathWorks, "MAT-File Format"), little-endian.
///
/// Elements are read where they lie; every length is compared with what is there. Other kinds of variables are passed
/// over.
struct MATLABFile {
  private let path: String
  private var arrays: [String: StoredArray] = [:]

  /// The most bytes of a file, and of what a compressed element becomes.
  private static let mostBytes = 1 << 28

  /// Reads a whole file.
  init(_ file: URL) throws {
    path = file.path
    let bytes = [UInt8](try Files.read(file, limit: Self.mostBytes))
    guard bytes.count >= 128, bytes.starts(with: Array("MATLAB 5.0".utf8)),
      bytes[126...127].elementsEqual("IM".utf8)
    else {
      throw foreign(
        expected: "a MATLAB file of version 5 to 7, little-endian",
        found: bytes.starts(with: [0x89, 0x48, 0x44, 0x46])
          ? "one of version 7.3 (HDF5)" : "another kind of file")
    }
    var reader = Elements(bytes: bytes[128...], file: self)
    while let element = try reader.next() {
      guard element.type == Self.compressed else {
        try add(element)
        continue
      }
      var inside = Elements(bytes: try inflated(element.bytes)[...], file: self)
      while let element = try inside.next() { try add(element) }
    }
  }

  /// The array of a name.
  func array(_ name: String) throws -> StoredArray {
    guard let array = arrays[name] else {
      throw foreign(
        expected: "an array \(name)", found: arrays.keys.sorted().joined(separator: ", "))
    }
    return array
  }

  func foreign(expected: String, found: String) -> DatasetError {
    .foreign(file: path, expected: expected, found: found)
  }

  // MARK: - Elements

  private static let (matrix, compressed) = (14, 15)
  private static let elements: [Int: NPYElement] = [
    1: .int8, 2: .uint8, 3: .int16, 4: .uint16, 5: .int32, 6: .uint32, 7: .float32, 9: .float64,
    12: .int64, 13: .uint64,
  ]

  private struct Element {
    var type: Int
    var bytes: ArraySlice<UInt8>
  }

  /// A row of elements: a type, a length, the bytes, and zeros up to a multiple of eight.
  private struct Elements {
    var bytes: ArraySlice<UInt8>
    let file: MATLABFile

    mutating func next() throws -> Element? {
      guard !bytes.isEmpty else { return nil }
      guard bytes.count >= 8 else { throw file.truncated }
      let word = number(at: 0, 4)
      // A short element has its length in the upper half of the first word, and its bytes in the second.
      if word >> 16 != 0 {
        guard word >> 16 <= 4 else { throw file.truncated }
        defer { bytes = bytes.dropFirst(8) }
        return Element(type: word & 0xFFFF, bytes: bytes.dropFirst(4).prefix(word >> 16))
      }
      let length = number(at: 4, 4)
      guard length <= bytes.count - 8 else { throw file.truncated }
      let padded = word == MATLABFile.compressed ? length : (length + 7) & ~7
      defer { bytes = bytes.dropFirst(8 + padded) }
      return Element(type: word, bytes: bytes.dropFirst(8).prefix(length))
    }

    private func number(at place: Int, _ count: Int) -> Int {
      bytes.dropFirst(place).prefix(count).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
  }

  private var truncated: DatasetError {
    .unreadable(file: path, reason: "an element is longer than what holds it")
  }

  private func inflated(_ bytes: ArraySlice<UInt8>) throws -> [UInt8] {
    var content = cimg_bytes()
    defer { cimg_free(content.bytes) }
    do {
      try withCMessage { message, capacity in
        bytes.withUnsafeBufferPointer {
          cimg_inflate_zlib(
            $0.baseAddress, $0.count, Self.mostBytes, &content, message, capacity)
        }
      }
    } catch let error as ImagingError {
      throw DatasetError.unreadable(file: path, reason: error.description)
    }
    return Array(UnsafeBufferPointer(start: content.bytes, count: content.count))
  }

  /// Keeps an array of real numbers: flags, sizes, a name, then the numbers.
  private mutating func add(_ element: Element) throws {
    guard element.type == Self.matrix else { return }
    var parts = Elements(bytes: element.bytes, file: self)
    guard let flags = try parts.next(), let sizes = try parts.next(), let name = try parts.next(),
      let numbers = try parts.next(), flags.bytes.count == 8, sizes.type == 5, name.type == 1,
      let element = Self.elements[numbers.type]
    else { return }
    // Bit 11 marks complex numbers; classes 6 to 15 are those of numbers.
    let kind = Array(flags.bytes.prefix(2))
    guard kind[1] & 0x08 == 0, (6...15).contains(kind[0]) else { return }
    let shape = NPYElement.int32.integers(Array(sizes.bytes)) ?? []
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else { throw truncated }
      count = product
    }
    guard shape.count >= 2, numbers.bytes.count / element.byteCount == count,
      numbers.bytes.count % element.byteCount == 0
    else { throw truncated }
    let title = String(decoding: name.bytes.prefix(64), as: UTF8.self)
    arrays[title] = StoredArray(
      name: "\(path): \(title)", shape: shape, element: element, bytes: Array(numbers.bytes))
  }
}
