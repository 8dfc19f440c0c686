import Foundation
import NamidData
import NamidTestSupport
import Testing

struct PublishedFileTests {
  private func expect(_ content: [UInt8], has digest: PublishedFile.Digest) throws {
    try withTemporaryFolder { folder in
      let file = try folder.write(content, to: "file")
      #expect(throws: Never.self) { try PublishedFile(name: "file", digest: digest).check(file) }
    }
  }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      String(repeating: "a", count: 100_000),
      "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee"
    ),
  ])
  func sha256HasItsPublishedValues(_ text: String, _ value: String) throws {
    try expect(Array(text.utf8), has: .sha256(value))
  }

  @Test(arguments: [
    ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
    ("abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    (
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
      "57edf4a22be3c955ac49da2e2107b67a"
    ),
  ])
  func md5HasItsPublishedValues(_ text: String, _ value: String) throws {
    try expect(Array(text.utf8), has: .md5(value))
  }

  @Test func paddingIsRightAtEveryLength() throws {
    // The first four digits of SHA-256 and of MD5 of so many letters a, as Python gives them.
    let expected = "9f43ef17b3543b0cf13b652b7d3eb065ffe001486353c74331eb8a7b2f3d5f616836e510"
    try withTemporaryFolder { folder in
      var digits = ""
      for length in [55, 56, 57, 63, 64, 65, 119, 120, 128] {
        let file = try folder.write([UInt8](repeating: 0x61, count: length), to: "file")
        for digest in [PublishedFile.Digest.sha256(""), .md5("")] {
          guard
            case .checksumMismatch(_, _, let found)? = datasetError(
              try PublishedFile(name: "file", digest: digest).check(file))
          else { return }
          digits += found.prefix(4)
        }
      }
      #expect(digits == expected)
    }
  }

  @Test func contentIsComparedHoweverItIsPacked() throws {
    let content = Array("abc".utf8)
    let digest = PublishedFile.Digest.unpackedSHA256(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", bytes: 3)
    try expect(content, has: digest)
    try expect(gzip(content), has: digest)
  }

  @Test func anotherFileIsNamed() throws {
    try withTemporaryFolder { folder in
      let file = try folder.write(Array("abd".utf8), to: "file")
      let published = PublishedFile(
        name: "file", digest: .md5("900150983cd24fb0d6963f7d28e17f72"))
      #expect(
        throws: DatasetError.checksumMismatch(
          file: file.path, expected: "900150983cd24fb0d6963f7d28e17f72",
          found: "4911e516e5aa21d327512e0c8b197616")
      ) { try published.check(file) }
    }
  }
}
