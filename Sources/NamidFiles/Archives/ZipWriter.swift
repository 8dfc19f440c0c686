import CNamidZlib
import Foundation

/// Writes a zip archive of stored entries from front to back.
///
/// Contents begin at multiples of 64 bytes, as PyTorch's do, and every date is the earliest one that the format knows:
/// equal contents give equal archives. Archives of 4 GiB and more have the zip64 fields.
public struct ZipWriter {
  private let writer: FileWriter
  private var directory: [UInt8] = []
  private var count = 0
  private static let alignment = 64
  /// The earliest date of the format, the first of January 1980.
  private static let date = 0x0021

  /// Begins an archive at the start of an empty file.
  public init(_ writer: FileWriter) { self.writer = writer }

  /// Adds a file.
  ///
  /// - Parameters:
  ///   - name: Its name, with folders separated by `/`; no other entry may have it.
  ///   - bytes: Its content.
  /// - Throws: `FileError` where the disk refuses.
  public mutating func add(_ name: String, _ bytes: UnsafeRawBufferPointer) throws(FileError) {
    let checksum = Int(namid_crc32(0, bytes.baseAddress, bytes.count))
    let start = writer.count
    let wide = bytes.count >= 0xFFFF_FFFF
    var extra = wide ? field(1, number(bytes.count, 8) + number(bytes.count, 8)) : []
    let unpadded = start + 30 + name.utf8.count + extra.count + 4
    let padding = (Self.alignment - unpadded % Self.alignment) % Self.alignment
    // "FB": the field with which PyTorch pads.
    extra += field(0x4246, [UInt8](repeating: UInt8(ascii: "Z"), count: padding))
    try write(
      number(0x0403_4B50, 4) + common(checksum, bytes.count, name, extra: extra.count, wide: wide)
        + Array(name.utf8) + extra)
    try writer.write(bytes)

    var far: [UInt8] = []
    if wide { far += number(bytes.count, 8) + number(bytes.count, 8) }
    if start >= 0xFFFF_FFFF { far += number(start, 8) }
    let wideField = far.isEmpty ? [] : field(1, far)
    directory += number(0x0201_4B50, 4) + number(version(wide: !far.isEmpty), 2)
    directory += common(checksum, bytes.count, name, extra: wideField.count, wide: wide)
    // No comment, disk 0, no attributes.
    directory += number(0, 10) + number(min(start, 0xFFFF_FFFF), 4) + Array(name.utf8) + wideField
    count += 1
  }

  /// Adds a file.
  public mutating func add(_ name: String, _ bytes: some Sequence<UInt8>) throws(FileError) {
    let data = Data(bytes)
    try data.bytes.withUnsafeBytes { (bytes) throws(FileError) in try add(name, bytes) }
  }

  /// Writes the directory, with which the archive ends.
  public mutating func finish() throws(FileError) {
    let start = writer.count
    let size = directory.count
    var end = directory
    if start >= 0xFFFF_FFFF || count >= 0xFFFF {
      end += number(0x0606_4B50, 4) + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8)
      end += number(count, 8) + number(count, 8) + number(size, 8) + number(start, 8)
      end += number(0x0706_4B50, 4) + number(0, 4) + number(start + size, 8) + number(1, 4)
    }
    end += number(0x0605_4B50, 4) + number(0, 4)
    end += number(min(count, 0xFFFF), 2) + number(min(count, 0xFFFF), 2)
    end += number(min(size, 0xFFFF_FFFF), 4) + number(min(start, 0xFFFF_FFFF), 4) + number(0, 2)
    try write(end)
  }

  /// The fields that the local header and the directory share: from the needed version to the extra field's length.
  private func common(
    _ checksum: Int, _ size: Int, _ name: String, extra: Int, wide: Bool
  ) -> [UInt8] {
    let shown = number(wide ? 0xFFFF_FFFF : size, 4)
    // Bit 11: the name is UTF-8. Method 0: stored. Time 0.
    return number(version(wide: wide), 2) + number(1 << 11, 2) + number(0, 4)
      + number(Self.date, 2) + number(checksum, 4) + shown + shown + number(name.utf8.count, 2)
      + number(extra, 2)
  }

  private func version(wide: Bool) -> Int { wide ? 45 : 20 }

  private func field(_ kind: Int, _ content: [UInt8]) -> [UInt8] {
    number(kind, 2) + number(content.count, 2) + content
  }

  private func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
  }

  private func write(_ bytes: [UInt8]) throws(FileError) {
    try writer.write(Data(bytes))
  }
}
