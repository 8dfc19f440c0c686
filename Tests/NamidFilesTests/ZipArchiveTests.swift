import Foundation
import NamidTestSupport
import Testing

@testable import NamidFiles

/// Zip archives: what is written is read, and what is hostile is refused before it is inflated.
struct ZipArchiveTests {
  /// An archive with some stored entries, as bytes.
  private func archive(_ entries: [(String, [UInt8])]) throws -> [UInt8] {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "a.zip")
      try AtomicFile.write(to: file) { writer in
        var zip = ZipWriter(writer)
        for (name, bytes) in entries { try zip.add(name, bytes) }
        try zip.finish()
      }
      return [UInt8](try Data(contentsOf: file))
    }
  }

  private func read<Result>(_ bytes: [UInt8], _ body: (ZipArchive) throws -> Result) throws
    -> Result
  {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "a.zip")
      try Data(bytes).write(to: file)
      return try body(ZipArchive(file))
    }
  }

  @Test func writtenEntriesAreReadAndBeginAtMultiplesOf64() throws {
    let entries: [(String, [UInt8])] = [
      ("a/data.pkl", Array("hello".utf8)), ("a/empty", []), ("a/ä", [UInt8](0...255)),
    ]
    let bytes = try archive(entries)
    try read(bytes) { zip in
      #expect(zip.entries.map(\.name) == entries.map(\.0))
      for (name, content) in entries {
        let entry = try #require(zip[name])
        #expect(try zip.content(of: entry) == content)
      }
      #expect(zip["b"] == nil)
    }
    for (_, content) in entries where !content.isEmpty {
      let place = try #require(bytes.firstRange(of: content)?.lowerBound)
      #expect(place % 64 == 0)
    }
  }

  /// Made by Python's zipfile (`ZIP_DEFLATED`): `x` of 2,000 bytes `i % 7`.
  private let deflated = Data(
    base64Encoded: """
      UEsDBBQAAAAIAAAAIQBEV6/hGAAAANAHAAABAAAAeGNgZGJmYWVjGKVGqVFqlBqlRqlRauhSAFBLAQIUAxQAAAAIAA\
      AAIQBEV6/hGAAAANAHAAABAAAAAAAAAAAAAACAAQAAAAB4UEsFBgAAAAABAAEALwAAADcAAAAAAA==
      """)

  @Test func deflatedEntriesAreReadAndDamageIsNoticed() throws {
    let bytes = [UInt8](try #require(deflated))
    let content = (0..<2000).map { UInt8($0 % 7) }
    try read(bytes) { zip in
      let entry = try #require(zip["x"])
      #expect(try zip.content(of: entry) == content)
      #expect(throws: ZipError.self) { try zip.content(of: entry, limit: 1999) }
    }
    // One damaged byte of the content, then a wrong length in the directory.
    for (at, value) in [(40, 0x55), (55 + 24, 0xD1)] as [(Int, UInt8)] {
      var bad = bytes
      bad[at] = value
      try read(bad) { zip in
        let entry = try #require(zip["x"])
        #expect(throws: ZipError.self) { try zip.content(of: entry) }
      }
    }
  }

  @Test(arguments: ["../x", "/x", "a/../x", "a\\x", "a\0x", ""])
  func namesThatLeadElsewhereAreRefused(_ name: String) throws {
    let bytes = try archive([("fine", [1]), (name, [2])])
    #expect(throws: ZipError.self) { try read(bytes) { _ in } }
  }

  @Test func twoEntriesOfOneNameAreRefused() throws {
    let bytes = try archive([("a", [1]), ("a", [2])])
    #expect(throws: ZipError.self) { try read(bytes) { _ in } }
  }

  @Test func everyCutIsAnError() throws {
    let bytes = try archive([("a", Array("some bytes".utf8)), ("b", [])])
    for end in 0..<bytes.count {
      #expect(throws: ZipError.self, "cut at \(end)") {
        try read(Array(bytes[..<end])) { zip in
          for entry in zip.entries { _ = try zip.content(of: entry) }
        }
      }
    }
  }

  @Test func aDirectoryThatLiesIsRefused() throws {
    let bytes = try archive([("a", [UInt8](repeating: 7, count: 100)), ("b", [1])])
    let directory = try #require(bytes.firstRange(of: [0x50, 0x4B, 1, 2])?.lowerBound)
    // Lengths, places of headers and counts far too large; entry b at the place of a.
    let changes: [(Int, [UInt8])] = [
      (20, [255, 255, 255, 127]), (24, [255, 255, 255, 255]), (42, [255, 255, 255, 127]),
      (28, [255, 255]), (8, [1, 0]), (10, [12, 0]),
    ]
    for (offset, value) in changes {
      var bad = bytes
      bad.replaceSubrange(directory + offset..<directory + offset + value.count, with: value)
      #expect(throws: ZipError.self, "byte \(offset) of the directory") { try read(bad) { _ in } }
    }
    let second = directory + 47
    var overlapping = bytes
    overlapping.replaceSubrange(second + 42..<second + 46, with: [10, 0, 0, 0])
    #expect(throws: ZipError.self) { try read(overlapping) { _ in } }
    var many = bytes
    many.replaceSubrange(bytes.count - 12..<bytes.count - 10, with: [255, 255])
    #expect(throws: ZipError.self) { try read(many) { _ in } }
  }

  /// Every byte changed in turn: an error or the right content, never a trap.
  @Test func noByteTraps() throws {
    let bytes = try archive([("a", Array("some bytes".utf8)), ("b", [3])])
    for at in bytes.indices {
      for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
        var bad = bytes
        bad[at] = value
        try? read(bad) { zip in
          for entry in zip.entries { _ = try zip.content(of: entry) }
        }
      }
    }
  }

  @Test func foldersAndPipesAreNoArchives() throws {
    try withTemporaryFolder { folder in
      #expect(throws: FileError.self) { try ZipArchive(folder) }
    }
  }
}
