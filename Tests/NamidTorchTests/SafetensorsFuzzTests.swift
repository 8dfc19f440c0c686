import Foundation
import Testing
@testable import NamidTorch

@Suite("Damaged safetensors")
struct SafetensorsFuzzTests {
  private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private func sample() throws -> Data {
    try SafetensorsFile.encode(
      [
        ("a", SafetensorsSample.floats([1], shape: [1])),
        ("é", TensorRecord(dtype: .bool, shape: [2], bytes: Data([0, 1]))),
        ("s", TensorRecord(dtype: .int64, shape: [], bytes: Data(count: 8))),
        ("e", TensorRecord(dtype: .uint8, shape: [0, 3], bytes: Data())),
      ], metadata: ["k": "v\n"])
  }

  /// Nil where the data was accepted; what is accepted must be whole.
  private func refusal(of data: Data) -> SafetensorsError.Problem? {
    do throws(SafetensorsError) {
      let file = try SafetensorsFile(data)
      var total = 0
      for name in file.names {
        guard let record = file[name] else {
          Issue.record("\(name) is listed but not there")
          continue
        }
        #expect(record.bytes.count == record.shape.reduce(record.dtype.byteCount, *))
        total += record.bytes.count
      }
      let header = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      #expect(8 + header + total == data.count)
      #expect(Set(file.names).count == file.names.count)
      return nil
    } catch {
      #expect(error.description.hasPrefix("cannot read safetensors data: "))
      return error.problem
    }
  }

  @Test("a file cut at any byte is refused")
  func truncation() throws {
    let whole = try sample()
    #expect(refusal(of: whole) == nil)
    for count in 0..<whole.count {
      #expect(refusal(of: whole.prefix(count)) != nil, "cut to \(count) of \(whole.count) bytes")
    }
  }

  @Test("a file with bytes appended is refused")
  func appendedBytes() throws {
    let whole = try sample()
    for count in 1...9 { #expect(refusal(of: whole + Data(count: count)) != nil) }
  }

  private static let tokens = [
    "null", "true", "-1", "1.5", "1e9", "0", "9223372036854775807", "99999999999999999999", "\"",
    "\\", "\\ud800", "\\udc00", "\\u0000", "{", "}", "[", "]", ",", ":", "[[[[", "{\"a\":", " ",
    "\"dtype\":\"I8\",", "\"__metadata__\":{},", "F64", "BOOL", "\u{E9}", "\0",
  ].map { Array($0.utf8) }

  @Test("a file with random damage is refused or whole, and never stops the process")
  func mutation() throws {
    let whole = try [UInt8](sample())
    let python = try [UInt8](#require(SafetensorsPythonTests.file))
    var random = SplitMix64(state: 2022)
    var accepted = 0
    var kinds: Set<Substring> = []
    for round in 0..<4000 {
      var bytes = round % 4 == 0 ? python : whole
      for _ in 0...Int.random(in: 0..<3, using: &random) { damage(&bytes, &random) }
      if let problem = refusal(of: Data(bytes)) {
        kinds.insert(String(describing: problem).prefix { $0 != "(" })
      } else {
        accepted += 1
      }
    }
    // Else the damage would be of too few kinds to say anything. Names and values may change
    // unseen, since the format has no checksums.
    #expect(accepted > 20)
    #expect(kinds.count >= 12, "reached only \(kinds.sorted())")
  }

  private func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard bytes.count > 8 else { return }
    let at = Int.random(in: 0..<bytes.count, using: &random)
    let before = bytes.count
    switch Int.random(in: 0..<8, using: &random) {
    case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[at] = UInt8.random(in: .min ... .max, using: &random)
    case 2: bytes.remove(at: at)
    case 3: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: at)
    case 4: bytes.swapAt(at, Int.random(in: 0..<bytes.count, using: &random))
    case 5: bytes.removeLast(bytes.count - at)
    case 6:
      let end = min(at + Int.random(in: 1..<60, using: &random), bytes.count)
      bytes.insert(contentsOf: bytes[at..<end], at: at)
    default:
      let token = Self.tokens[Int.random(in: 0..<Self.tokens.count, using: &random)]
      let end = min(at + Int.random(in: 0..<6, using: &random), bytes.count)
      bytes.replaceSubrange(at..<end, with: token)
    }
    // Most damage within the header takes the length along, or nothing behind that check is tried.
    guard at >= 8, bytes.count >= 8, Int.random(in: 0..<4, using: &random) > 0 else { return }
    let length = Int(bytes[0]) + Int(bytes[1]) << 8 + bytes.count - before
    if length > 0, length < 1 << 16 {
      bytes[0] = UInt8(length & 0xFF)
      bytes[1] = UInt8(length >> 8)
    }
  }
}
