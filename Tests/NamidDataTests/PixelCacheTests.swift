import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

/// The cache of decoded images, by way of the set that has one.
struct PixelCacheTests {
  private typealias Folder = TinyImageNetFolder

  private func decodings(_ news: [String]) -> Int { news.count { $0.contains("decoding 8 ") } }

  private func cache(_ made: TinyImageNetFolder) -> URL { made.file(".namid-train.pixels") }

  @Test func imagesAreDecodedOnce() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      for path in Folder.train { try ageAndReplace(made.file(path), with: nil) }
      let first = try loadWithNews(source, .train, in: folder)
      #expect(decodings(first.news) == 1 && first.news.count == 2)
      #expect(first.news[1].contains(cache(made).path))

      // No image can be decoded any more, and none is: all have the size and age that they had.
      for path in Folder.train { try ageAndReplace(made.file(path), with: UInt8(ascii: "x")) }
      let second = try loadWithNews(source, .train, in: folder)
      #expect(second.news.isEmpty)
      #expect(second.set.pixels == Folder.trainPixels && second.set.labels == Folder.trainLabels)
      #expect(second.set.fingerprint == first.set.fingerprint)
      #expect(second.set.title == first.set.title && second.set.layout == first.set.layout)
    }
  }

  @Test func aMovedFolderKeepsItsCache() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      _ = try source.load(.train, in: folder)
      let moved = folder.appendingPathComponent("elsewhere")
      try FileManager.default.moveItem(at: made.root, to: moved)
      #expect(try loadWithNews(source, .train, in: moved).news.isEmpty)
    }
  }

  @Test func eachSplitHasItsOwn() throws {
    try withTemporaryFolder { folder in
      _ = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      let train = try source.load(.train, in: folder)
      let test = try source.load(.test, in: folder)
      let again = try loadWithNews(source, .test, in: folder)
      #expect(again.news.isEmpty && again.set.pixels == test.pixels)
      #expect(try loadWithNews(source, .train, in: folder).set.pixels == train.pixels)
    }
  }

  @Test func aChangedFolderIsDecodedAgain() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      var colours = Folder.train.indices.map(Folder.colour)
      /// Checks that the set has the images that it should, all decoded again.
      func expectNew(_ sourceLocation: SourceLocation = #_sourceLocation) throws {
        let (set, news) = try loadWithNews(source, .train, in: folder)
        let told = news.contains { $0.contains("from other files, or from these before") }
        #expect(told, sourceLocation: sourceLocation)
        #expect(set.pixels == Folder.pixels(colours), sourceLocation: sourceLocation)
        #expect(
          try loadWithNews(source, .train, in: folder).news.isEmpty,
          sourceLocation: sourceLocation)
      }
      _ = try source.load(.train, in: folder)

      // Another image of the same length, later.
      colours[3] = [1, 128, 254]
      let old = try Data(contentsOf: made.file(Folder.train[3]))
      let new = flatJPEG(colours[3])
      try made.root.write(new, to: Folder.train[3])
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: 5)],
        ofItemAtPath: made.file(Folder.train[3]).path)
      try expectNew()

      // Another length of the same age.
      try ageAndReplace(made.file(Folder.train[5]), with: nil)
      _ = try source.load(.train, in: folder)
      colours[5] = [200]
      #expect(flatJPEG([200]).count != old.count)
      try made.root.write(flatJPEG([200]), to: Folder.train[5])
      try ageAndReplace(made.file(Folder.train[5]), with: nil)
      try expectNew()

      // One more, one less, and another name.
      colours.append([9, 9, 9])
      try made.root.write(flatJPEG([9, 9, 9]), to: "train/n00000030/images/n00000030_8.JPEG")
      try expectNew()
      colours.remove(at: 0)
      try FileManager.default.removeItem(at: made.file(Folder.train[0]))
      try expectNew()
      try FileManager.default.moveItem(
        at: made.file(Folder.train[1]), to: made.file(Folder.train[0]))
      try expectNew()
    }
  }

  @Test(arguments: [
    (0, "is no cache"), (100, "from other files"), (256, "is cut short"), (50_000, "is cut short"),
    (256 + 8 * 12_288 - 1, "is cut short"),
  ])
  func aCutCacheIsMadeAnew(_ length: Int, _ reason: String) throws {
    try expectRebuilt(reason) { try Data(contentsOf: $0).prefix(length).write(to: $0) }
  }

  @Test func aLongerCacheIsMadeAnew() throws {
    try expectRebuilt("is cut short or damaged") {
      try (Data(contentsOf: $0) + [0]).write(to: $0)
    }
  }

  @Test func aForeignFileIsMadeAnew() throws {
    try expectRebuilt("is no cache") { try Data("something else".utf8).write(to: $0) }
  }

  @Test(arguments: [
    (0, "is no cache"), (14, "is no cache"), (30, "from other files"), (90, "from other files"),
    (120, "is damaged"), (140, "is damaged"), (255, "is damaged"), (256, "is damaged"),
    (70_000, "is damaged"), (256 + 8 * 12_288 - 1, "is damaged"),
  ])
  func aDamagedCacheIsMadeAnew(_ position: Int, _ reason: String) throws {
    try expectRebuilt(reason) { file in
      var bytes = try Data(contentsOf: file)
      bytes[position] ^= 1
      try bytes.write(to: file)
    }
  }

  /// A cache that `damage` was done to is told of, not used, and whole again afterwards.
  private func expectRebuilt(
    _ reason: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ damage: (URL) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      _ = try source.load(.train, in: folder)
      let whole = try Data(contentsOf: cache(made))
      try damage(cache(made))
      let (set, news) = try loadWithNews(source, .train, in: folder)
      #expect(set.pixels == Folder.trainPixels, sourceLocation: sourceLocation)
      try #require(news.count == 3, "\(news)", sourceLocation: sourceLocation)
      #expect(
        news[0].contains(cache(made).path) && news[0].contains(reason),
        sourceLocation: sourceLocation)
      #expect(decodings(news) == 1, sourceLocation: sourceLocation)
      #expect(try Data(contentsOf: cache(made)) == whole, sourceLocation: sourceLocation)
    }
  }

  @Test func whereTheSetsFolderCannotBeWrittenAnotherIsUsed() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      // A folder in the place of the file stops even those who may write everywhere.
      try made.write("", to: ".namid-train.pixels/in the way")
      let first = try loadWithNews(source, .train, in: folder)
      #expect(decodings(first.news) == 1 && first.set.pixels == Folder.trainPixels)
      let other = folder.appendingPathComponent("other caches")
      #expect(try FileManager.default.contentsOfDirectory(atPath: other.path).count == 1)
      let second = try loadWithNews(source, .train, in: folder)
      #expect(decodings(second.news) == 0 && second.set.pixels == Folder.trainPixels)
    }
  }

  @Test func aCacheThatCannotBeKeptIsOnlyTold() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      try made.write("", to: ".namid-train.pixels/in the way")
      let file = try folder.write([1], to: "file")
      let source = TinyImageNet(
        train: 8, test: 5, otherCacheFolder: file.appendingPathComponent("folder"))
      for _ in 0..<2 {
        let (set, news) = try loadWithNews(source, .train, in: folder)
        #expect(set.pixels == Folder.trainPixels && decodings(news) == 1)
        #expect(news.count { $0.contains("not kept") } == 2)
      }
    }
  }

  @Test func aGivenFolderKeepsTheCachesOfSeveralCopies() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let copy = folder.appendingPathComponent("copy")
      try FileManager.default.copyItem(at: made.root, to: copy)
      let source = TinyImageNet(cacheFolder: folder.appendingPathComponent("new/caches"))
      for place in [made.root, copy] { _ = try source.load(.train, in: place) }
      for place in [made.root, copy] {
        #expect(try loadWithNews(source, .train, in: place).news.isEmpty)
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
        #expect(!names.contains { $0.contains("pixels") })
      }
    }
  }

  @Test func theDataDirectoryIsThatOfTheEnvironment() {
    let home = FileManager.default.homeDirectoryForCurrentUser.path
    #expect(DataDirectory.standard(["NAMID_DATA": "/a", "XDG_CACHE_HOME": "/b"]).path == "/a")
    #expect(
      DataDirectory.standard(["NAMID_DATA": "", "XDG_CACHE_HOME": "/b"]).path == "/b/namid/data")
    #expect(DataDirectory.standard(["XDG_CACHE_HOME": ""]).path == home + "/.cache/namid/data")
    #expect(DataDirectory.standard([:]).path == home + "/.cache/namid/data")
  }
}
