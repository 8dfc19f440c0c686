import Foundation

/// A JPEG file of one colour, whose pixels come back exactly as they are given.
///
/// One value makes a grayscale image, three an RGB one (stored as such, not as luma and chroma), four
/// a CMYK one. Every block has only its mean, whose quantum is 8: eight times the mean's distance
/// from 128.
func flatJPEG(_ values: [UInt8], height: Int = 64, width: Int = 64) -> Data {
  var file: [UInt8] = [0xFF, 0xD8]
  func add(_ marker: UInt8, _ parts: [UInt8]...) {
    let body = parts.flatMap { $0 }
    file += [0xFF, marker] + bigEndian(body.count + 2).suffix(2) + body
  }
  let count = UInt8(values.count)
  // Adobe's marker with transform 0: the values are colours as they stand.
  add(0xEE, Array("Adobe".utf8), [0, 100, 0, 0, 0, 0, 0])
  add(0xDB, [0], [UInt8](repeating: 8, count: 64))
  let frame: [UInt8] = (1...count).flatMap { [$0, 0x11, 0] }
  add(0xC0, [8], bigEndian(height).suffix(2), bigEndian(width).suffix(2), [count], frame)
  // Means: the bit lengths 0 to 8 have codes of four bits. Other frequencies: one code, the end.
  add(0xC4, [0], codeCounts(9, ofLength: 4), Array(0...8))
  add(0xC4, [0x10], codeCounts(1, ofLength: 1), [0])
  let scan: [UInt8] = (1...count).flatMap { [$0, 0] }
  add(0xDA, [count], scan, [0, 63, 0])

  var bits: [Bool] = []
  func append(_ value: Int, _ count: Int) {
    for bit in (0..<count).reversed() { bits.append(value >> bit & 1 == 1) }
  }
  for block in 0..<((height + 7) / 8 * ((width + 7) / 8)) {
    for value in values {
      // Each mean is stored as what it differs from the one before it.
      let mean = block == 0 ? Int(value) - 128 : 0
      let length = Int.bitWidth - mean.magnitude.leadingZeroBitCount
      append(length, 4)
      append(mean < 0 ? mean + (1 << length) - 1 : mean, length)
      append(0, 1)
    }
  }
  while !bits.count.isMultiple(of: 8) { bits.append(true) }
  for start in stride(from: 0, to: bits.count, by: 8) {
    var byte: UInt8 = 0
    for bit in bits[start..<(start + 8)] { byte = byte << 1 | (bit ? 1 : 0) }
    file.append(byte)
    if byte == 0xFF { file.append(0) }
  }
  return Data(file + [0xFF, 0xD9])
}

/// How many codes of each length from 1 to 16 there are, all of one length.
private func codeCounts(_ count: UInt8, ofLength length: Int) -> [UInt8] {
  (1...16).map { $0 == length ? count : 0 }
}
