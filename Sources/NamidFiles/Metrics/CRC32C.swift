/// The checksum CRC-32C (Castagnoli, RFC 3720 §B.4), which guards the records of event files.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? (value >> 1) ^ 0x82f6_3b78 : value >> 1
    }
  }

  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let table = table
    return ~bytes.reduce(~0) { value, byte in
      (value >> 8) ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)]
    }
  }

  /// The form stored in record files, where a checksum may itself be checksummed.
  static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let sum = checksum(bytes)
    return ((sum >> 15) | (sum << 17)) &+ 0xa282_ead8
  }
}
