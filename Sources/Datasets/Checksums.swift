/// SHA-256 (FIPS 180-4), for files of known content.
enum SHA256 {
  static func hex(of bytes: some Sequence<UInt8>) -> String {
    var state: [UInt32] = [
      0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A,
      0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]
    var schedule = [UInt32](repeating: 0, count: 64)
    forEachBlock(of: bytes, lengthIsBigEndian: true) { block in
      schedule.withUnsafeMutableBufferPointer { w in
        for i in 0..<16 { w[i] = UInt32(bigEndian: load(block, i)) }
        for i in 16..<64 {
          let s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >> 3)
          let s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >> 10)
          w[i] = w[i - 16] &+ s0 &+ w[i - 7] &+ s1
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        constants.withUnsafeBufferPointer { k in
          for i in 0..<64 {
            let s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)
            let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ k[i] &+ w[i]
            let s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)
            let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
          }
        }
        for (i, value) in [a, b, c, d, e, f, g, h].enumerated() { state[i] &+= value }
      }
    }
    return state.map { digits(of: $0) }.joined()
  }

  private static let constants: [UInt32] = [
    0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1, 0x923F_82A4,
    0xAB1C_5ED5, 0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3, 0x72BE_5D74, 0x80DE_B1FE,
    0x9BDC_06A7, 0xC19B_F174, 0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F,
    0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA, 0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7,
    0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967, 0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC,
    0x5338_0D13, 0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85, 0xA2BF_E8A1, 0xA81A_664B,
    0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070, 0x19A4_C116,
    0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3,
    0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208, 0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7,
    0xC671_78F2,
  ]
}

/// MD5 (RFC 1321), for the checksums that makers of older sets published.
enum MD5 {
  static func hex(of bytes: some Sequence<UInt8>) -> String {
    var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
    forEachBlock(of: bytes, lengthIsBigEndian: false) { block in
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      sines.withUnsafeBufferPointer { k in
        shifts.withUnsafeBufferPointer { s in
          for i in 0..<64 {
            let mixed: UInt32
            let word: Int
            switch i >> 4 {
            case 0: (mixed, word) = ((b & c) | (~b & d), i)
            case 1: (mixed, word) = ((d & b) | (~d & c), (5 * i + 1) & 15)
            case 2: (mixed, word) = (b ^ c ^ d, (3 * i + 5) & 15)
            default: (mixed, word) = (c ^ (b | ~d), (7 * i) & 15)
            }
            let sum = a &+ mixed &+ k[i] &+ UInt32(littleEndian: load(block, word))
            let shift = s[(i >> 4) * 4 + (i & 3)]
            (a, d, c, b) = (d, c, b, b &+ ((sum << shift) | (sum >> (32 - shift))))
          }
        }
      }
      for (i, value) in [a, b, c, d].enumerated() { state[i] &+= value }
    }
    return state.map { digits(of: $0.byteSwapped) }.joined()
  }

  private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

  private static let sines: [UInt32] = [
    0xD76A_A478, 0xE8C7_B756, 0x2420_70DB, 0xC1BD_CEEE, 0xF57C_0FAF, 0x4787_C62A, 0xA830_4613,
    0xFD46_9501, 0x6980_98D8, 0x8B44_F7AF, 0xFFFF_5BB1, 0x895C_D7BE, 0x6B90_1122, 0xFD98_7193,
    0xA679_438E, 0x49B4_0821, 0xF61E_2562, 0xC040_B340, 0x265E_5A51, 0xE9B6_C7AA, 0xD62F_105D,
    0x0244_1453, 0xD8A1_E681, 0xE7D3_FBC8, 0x21E1_CDE6, 0xC337_07D6, 0xF4D5_0D87, 0x455A_14ED,
    0xA9E3_E905, 0xFCEF_A3F8, 0x676F_02D9, 0x8D2A_4C8A, 0xFFFA_3942, 0x8771_F681, 0x6D9D_6122,
    0xFDE5_380C, 0xA4BE_EA44, 0x4BDE_CFA9, 0xF6BB_4B60, 0xBEBF_BC70, 0x289B_7EC6, 0xEAA1_27FA,
    0xD4EF_3085, 0x0488_1D05, 0xD9D4_D039, 0xE6DB_99E5, 0x1FA2_7CF8, 0xC4AC_5665, 0xF429_2244,
    0x432A_FF97, 0xAB94_23A7, 0xFC93_A039, 0x655B_59C3, 0x8F0C_CC92, 0xFFEF_F47D, 0x8584_5DD1,
    0x6FA8_7E4F, 0xFE2C_E6E0, 0xA301_4314, 0x4E08_11A1, 0xF753_7E82, 0xBD3A_F235, 0x2AD7_D2BB,
    0xEB86_D391,
  ]
}

/// Calls `body` with every block of 64 bytes, the last ones padded with a bit and the length.
private func forEachBlock(
  of bytes: some Sequence<UInt8>, lengthIsBigEndian: Bool, body: (UnsafeRawBufferPointer) -> Void
) {
  func run(_ whole: UnsafeRawBufferPointer) {
    let full = whole.count & ~63
    for start in stride(from: 0, to: full, by: 64) {
      body(UnsafeRawBufferPointer(rebasing: whole[start..<(start + 64)]))
    }
    var rest = Array(whole[full...]) + [0x80]
    while rest.count % 64 != 56 { rest.append(0) }
    let length = UInt64(whole.count) &* 8
    withUnsafeBytes(of: lengthIsBigEndian ? length.bigEndian : length.littleEndian) {
      rest.append(contentsOf: $0)
    }
    rest.withUnsafeBytes { tail in
      for start in stride(from: 0, to: tail.count, by: 64) {
        body(UnsafeRawBufferPointer(rebasing: tail[start..<(start + 64)]))
      }
    }
  }
  let isContiguous: Void? = bytes.withContiguousStorageIfAvailable {
    run(UnsafeRawBufferPointer($0))
  }
  if isContiguous == nil { Array(bytes).withUnsafeBytes { run($0) } }
}

private func load(_ block: UnsafeRawBufferPointer, _ word: Int) -> UInt32 {
  block.loadUnaligned(fromByteOffset: 4 * word, as: UInt32.self)
}

private func rotr(_ value: UInt32, _ count: UInt32) -> UInt32 {
  (value >> count) | (value << (32 - count))
}

private func digits(of value: UInt32) -> String {
  let text = String(value, radix: 16)
  return String(repeating: "0", count: 8 - text.count) + text
}
