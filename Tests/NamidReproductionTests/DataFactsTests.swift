import Foundation
import NamidTestSupport
import Testing

@testable import NamidReproduction

/// What decides that two copies of a data set are the same.
@Suite(.serialized) struct DataFactsTests {
  /// Of one's own images either part can change alone.
  @Test func bothPartsOfOwnImagesCount() throws {
    try withTemporaryFolder { folder in
      let images = folder.appending(path: "images")
      let name = try SyntheticImages.write(to: images, train: 6, test: 3)
      let before = try DataFacts(of: name, in: folder, catalog: .standard)
      #expect(before.problem == nil && before.trainCount == 6 && before.testCount == 3)
      #expect(try DataFacts(of: name, in: folder, catalog: .standard).identity == before.identity)
      for split in ["train", "test"] {
        let one = images.appending(path: "\(split)/left")
        let file = try #require(
          FileManager.default.contentsOfDirectory(atPath: one.path).sorted().first)
        let other = images.appending(path: "\(split)/right")
        let source = try #require(
          FileManager.default.contentsOfDirectory(atPath: other.path).sorted().first)
        let data = try Data(contentsOf: one.appending(path: file))
        try Data(contentsOf: other.appending(path: source)).write(to: one.appending(path: file))
        #expect(
          try DataFacts(of: name, in: folder, catalog: .standard).identity != before.identity,
          "\(split)")
        try data.write(to: one.appending(path: file))
      }
    }
  }
}
