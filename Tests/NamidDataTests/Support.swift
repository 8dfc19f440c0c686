import Foundation
import NamidData
import Testing

extension URL {
  /// Writes a file below this folder, with the folders in between.
  @discardableResult
  func write(_ bytes: some Sequence<UInt8>, to path: String) throws -> URL {
    let file = appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
    return file
  }
}

/// The error that a call throws, as the type it must have.
@discardableResult
func datasetError(
  _ body: @autoclosure () throws -> some Any,
  sourceLocation: SourceLocation = #_sourceLocation
) -> DatasetError? {
  #expect(throws: DatasetError.self, sourceLocation: sourceLocation) { _ = try body() }
}

func base64(_ text: String) throws -> Data { try #require(Data(base64Encoded: text)) }

/// Big-endian, as idx files have it.
func bigEndian(_ value: Int) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// Little-endian, as pickles and gzip files have it.
func littleEndian(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

func idx(_ shape: [Int], _ values: [UInt8]) -> [UInt8] {
  [0, 0, 8, UInt8(shape.count)] + shape.flatMap(bigEndian) + values
}

/// A gzip file with its content stored as it is, at most 65,535 bytes.
func gzip(_ content: [UInt8]) -> [UInt8] {
  var crc: UInt32 = .max
  for byte in content {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
  }
  let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
  let length = littleEndian(content.count, 2)
  return header + [1] + length + length.map { ~$0 } + content
    + littleEndian(Int(~crc), 4) + littleEndian(content.count, 4)
}

/// Pixels that differ between images and places: `(31 * image + place) mod 251`.
func pattern(image: Int, count: Int) -> [UInt8] {
  (0..<count).map { UInt8((31 * image + $0) % 251) }
}

/// The same images as planes: all red, all green, all blue values.
func planes(of pixels: [UInt8]) -> [UInt8] {
  (0..<3).flatMap { channel in stride(from: channel, to: pixels.count, by: 3).map { pixels[$0] } }
}

/// Rows, columns and channels of a set's images.
func shape(_ set: ImageSet) -> [Int] { [set.height, set.width, set.channels] }
