import Foundation

/// The orientation that a camera notes in a JPEG file (EXIF 2.3, TIFF 6.0).
enum EXIF {
  /// The number of the orientation, 1 to 8, where the file states one; 1 is upright.
  ///
  /// Image sets are read as torchvision reads them, without turning images: the tag is only looked for to say so.
  static func orientation(of data: Data) -> Int? {
    data.withUnsafeBytes { bytes in
      var at = 2
      // Segments ahead of the pixels: a marker, then a length that counts itself.
      while at + 4 <= bytes.count, bytes[at] == 0xFF, bytes[at + 1] != 0xDA {
        let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
        guard length >= 2, at + 2 + length <= bytes.count else { return nil }
        let content = UnsafeRawBufferPointer(rebasing: bytes[at + 4..<at + 2 + length])
        if bytes[at + 1] == 0xE1, content.starts(with: Array("Exif".utf8) + [0, 0]) {
          return orientation(inTIFF: UnsafeRawBufferPointer(rebasing: content.dropFirst(6)))
        }
        at += 2 + length
      }
      return nil
    }
  }

  /// The value of tag 0x0112 in the first directory.
  private static func orientation(inTIFF bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= 8 else { return nil }
    let isBigEndian = bytes[0] == UInt8(ascii: "M")
    func number(_ at: Int, _ count: Int) -> Int {
      let digits = bytes[at..<at + count]
      return (isBigEndian ? Array(digits) : digits.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }
    let directory = number(4, 4)
    guard directory + 2 <= bytes.count else { return nil }
    for entry in 0..<number(directory, 2) {
      let at = directory + 2 + 12 * entry
      guard at + 12 <= bytes.count else { return nil }
      if number(at, 2) == 0x0112 { return number(at + 8, 2) }
    }
    return nil
  }
}
