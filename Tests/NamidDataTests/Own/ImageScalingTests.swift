import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

/// Scaled images as PIL scales them (`Tests/Golden/make-data-fixtures.py`, which also compares PIL with torch).
struct ImageScalingTests {
  private func decoded(_ name: String) throws -> DecodedImage {
    try decodeImage(Data(contentsOf: Golden.url("data/resize/\(name).png")))
  }

  @Test(arguments: ["wide", "tall", "small", "square"], ["crop", "pad", "stretch"])
  func theSquareHasThePixelsOfPIL(_ name: String, _ fit: String) throws {
    let image = try decoded(name)
    let expected = try decoded("\(name)-\(fit)-16")
    let preparation = ImagePreparation(
      side: 16, fit: try #require(ImagePreparation.Fit(rawValue: fit)))
    var scaled = [UInt8](repeating: 77, count: 16 * 16 * 3)
    scaled.withUnsafeMutableBufferPointer { target in
      image.pixels.withUnsafeBufferPointer {
        preparation.scale(
          $0, height: image.height, width: image.width, to: 16, into: target)
      }
    }
    #expect(scaled == expected.pixels)
  }

  /// A folder with one image of each size as a training image, and the source with these options.
  private func withSource(
    _ options: String, _ body: (OwnFolder, _ folder: URL) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      for name in ["wide", "tall", "small"] {
        let file = try Data(contentsOf: Golden.url("data/resize/\(name).png"))
        try folder.write(file, to: "set/train/\(name)/0.png")
      }
      let own = OwnName(folder.appending(path: "set").path + options, severalPaths: false)
      try body(OwnFolder(own, cacheFolder: folder.appending(path: "cache")), folder)
    }
  }

  private func load(_ source: OwnFolder, _ folder: URL) throws -> (set: ImageSet, news: [String]) {
    var news: [String] = []
    return (try source.load(.train, in: folder) { news.append($0) }, news)
  }

  @Test func foldersOfAllSizesAreScaledOnce() throws {
    try withSource(":resize=16:fit=pad") { source, folder in
      let (set, news) = try load(source, folder)
      #expect(shape(set) == [16, 16, 3] && set.classNames == ["small", "tall", "wide"])
      #expect(try set.pixels == set.classNames.flatMap { try decoded("\($0)-pad-16").pixels })
      #expect(news.contains { $0.contains("decoding 3 images") })
      #expect(set.name == "folder:set:fit=pad:resize=16")
      let again = try load(source, folder)
      #expect(again.news.isEmpty && again.set.fingerprint == set.fingerprint)
      #expect(try source.details(in: folder).contains("scaled to 16×16 (pad"))
    }
  }

  @Test func theCacheKnowsHowImagesWereScaled() throws {
    try withSource(":resize=16") { crop, folder in
      let cropped = try load(crop, folder).set
      #expect(
        try cropped.pixels == cropped.classNames.flatMap { try decoded("\($0)-crop-16").pixels })
      let place = folder.appending(path: "set").path
      for options in [
        ":resize=16:fit=stretch", ":resize=12", ":resize=16:fit=pad:background=black",
      ] {
        let other = OwnFolder(
          OwnName(place + options, severalPaths: false),
          cacheFolder: folder.appending(path: "cache"))
        let (set, news) = try load(other, folder)
        #expect(news.contains { $0.contains("decoding") } && set.pixels != cropped.pixels)
      }
      // All four are kept, each under its own name.
      #expect(try load(crop, folder).news.isEmpty)
      #expect(try sortedNames(in: folder.appending(path: "cache")).count == 4)
    }
  }

  @Test func paddedImagesShowTheBackground() throws {
    try withSource(":resize=16:fit=pad:background=0102ff") { source, folder in
      let set = try load(source, folder).set
      // The wide image has bands above and below.
      #expect(Array(set.image(at: 2).prefix(3)) == [1, 2, 255])
      #expect(Array(set.image(at: 2).suffix(3)) == [1, 2, 255])
    }
  }

  @Test func withoutScalingImagesOfSeveralSizesAreRefused() throws {
    try withSource("") { source, folder in
      #expect(throws: DatasetError.self) { try load(source, folder) }
    }
  }
}
