import Foundation
import NamidTestSupport
import Testing
@testable import NamidFiles
@testable import NamidSettings

@Suite struct HashingTests {
  /// The examples of FIPS 180-4 and of NIST's test suite.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
        + "lmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    (
      String(repeating: "a", count: 1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ])
  func matchesPublishedDigests(text: String, digest: String) {
    #expect(SHA256.hexDigest(of: Data(text.utf8)) == digest)
  }

  @Test func piecesDoNotMatter() {
    let data = Data((0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    let whole = SHA256.hexDigest(of: data)
    for size in [1, 3, 55, 56, 63, 64, 65, 128, 299] {
      var hash = SHA256()
      for start in stride(from: 0, to: data.count, by: size) {
        data[start..<min(start + size, data.count)].withUnsafeBytes { hash.update($0) }
      }
      #expect(hash.hexDigest() == whole)
    }
  }

  @Test func filesHashLikeTheirContent() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "a")
      let data = Data(repeating: 7, count: 3 << 20 + 5)
      try AtomicFile.write(data, to: url)
      #expect(try SHA256.hexDigest(ofFileAt: url) == SHA256.hexDigest(of: data))
    }
  }

  private struct Specification: Encodable {
    var name = "pgd"
    var epsilon: Fraction
    var steps = 20
    var restarts: Int?
    var zero = 0.0
    var options = ["b": 1, "a": 2]
  }

  @Test func canonicalTextIsOneForEqualValues() throws {
    let written = Specification(epsilon: Fraction(8, over: 255))
    let text = String(decoding: try canonicalJSON(written), as: UTF8.self)
    #expect(
      text == #"{"epsilon":0.03137254901960784,"name":"pgd","options":{"a":2,"b":1},"#
        + #""steps":20,"zero":0.0}"#)
    var other = Specification(epsilon: Fraction(8.0 / 255))
    other.zero = -0.0
    #expect(try canonicalJSON(other) == canonicalJSON(written))
    #expect(try specificationHash(other) == specificationHash(written))
    other.steps = 21
    #expect(try specificationHash(other) != specificationHash(written))
  }

  @Test func theShortHashIsTheStartOfTheDigest() throws {
    let hash = try specificationHash(["a": 1])
    #expect(hash == String(SHA256.hexDigest(of: Data(#"{"a":1}"#.utf8)).prefix(16)))
    #expect(hash == "015abd7f5cc57a2d")
  }
}
