import Foundation
import Testing

@testable import NamidData

struct GzipTests {
  // Python: gzip.compress(b'adversarial ' * 40, mtime=0)
  private let packed =
    "H4sIAAAAAAACA0tMKUstKk4sykzMUUgcZQ87NgD/icZC4AEAAA=="
  private var content: [UInt8] { Array(String(repeating: "adversarial ", count: 40).utf8) }

  @Test func contentComesOut() throws {
    #expect(try Gzip.inflate(base64(packed), limit: 480) == content)
    #expect(try Gzip.inflate(Data(gzip([])), limit: 0) == [])
  }

  @Test func severalMembersAreOneContent() throws {
    let twice = try base64(packed) + Data(gzip([1, 2, 3]))
    #expect(try Gzip.inflate(twice, limit: 1_000) == content + [1, 2, 3])
  }

  @Test func theLimitHoldsExactly() throws {
    let error = #expect(throws: ImagingError.self) {
      try Gzip.inflate(base64(packed), limit: 479)
    }
    #expect(error?.kind == .tooLarge)
  }

  @Test func aFileCutAnywhereIsTruncated() throws {
    let whole = try base64(packed)
    for length in 0..<whole.count {
      let error = #expect(throws: ImagingError.self, "cut after \(length) bytes") {
        try Gzip.inflate(whole.prefix(length), limit: 480)
      }
      #expect(error?.kind == .truncated, "cut after \(length) bytes")
    }
  }

  @Test func damageAndStrayBytesAreErrors() throws {
    let whole = try base64(packed)
    for position in [0, 2, 12, whole.count - 6, whole.count - 2] {
      var damaged = whole
      damaged[position] ^= 0x10
      #expect(throws: ImagingError.self, "damaged byte \(position)") {
        try Gzip.inflate(damaged, limit: 10_000)
      }
    }
    #expect(throws: ImagingError.self) { try Gzip.inflate(whole + Data([7, 7, 7]), limit: 480) }
  }
}
