import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

/// Transparent, deep, turned and damaged files as PIL reads them (`Tests/Golden/make-data-fixtures.py`).
struct ImageKindTests {
  private func file(_ name: String) throws -> Data {
    try Data(contentsOf: Golden.url("data/kinds/\(name)"))
  }

  private func decode(
    _ name: String, on background: Colour = .white
  ) throws -> (pixels: [UInt8], notes: DecodingNotes) {
    try withDecodedImage(file(name), background: background) { (Array($0.pixels), $0.notes) }
  }

  private func largestDifference(_ one: [UInt8], _ other: [UInt8]) -> Int {
    one.count == other.count ? zip(one, other).map { abs(Int($0) - Int($1)) }.max() ?? 0 : 256
  }

  @Test(arguments: ["rgba", "gray-alpha", "palette"])
  func transparentPixelsShowTheBackground(_ name: String) throws {
    let white = try decode("\(name).png")
    #expect(white.notes == DecodingNotes(transparent: 1))
    #expect(largestDifference(white.pixels, try decode("\(name)-white.png").pixels) <= 1)
    if name == "palette" { return }
    let green = try decode("\(name).png", on: Colour(red: 10, green: 200, blue: 30))
    #expect(largestDifference(green.pixels, try decode("\(name)-green.png").pixels) <= 1)
    #expect(try decode("\(name)-white.png").notes == DecodingNotes())
  }

  @Test func deepAndTurnedImagesAreToldOf() throws {
    #expect(try decode("deep.png").notes == DecodingNotes(deep: 1))
    #expect(try decode("orientation-6.jpg").notes == DecodingNotes(turned: 1))
    #expect(try decode("orientation-1.jpg").notes == DecodingNotes())
    // The pixels are those of the file, as torchvision takes them.
    #expect(try decode("orientation-6.jpg").pixels == decode("orientation-1.jpg").pixels)
    try withTemporaryFolder { folder in
      for name in ["orientation-6.jpg", "orientation-1.jpg", "stray.jpg"] {
        try folder.write(file(name), to: "train/a/\(name)")
      }
      var news: [String] = []
      let source = try Datasets.source(named: "folder:\(folder.path)")
      _ = try source.load(.train, in: folder) { news.append($0) }
      #expect(news.count == 1 && news[0].contains("1 image with an orientation tag"))
    }
  }

  @Test func bothByteOrdersOfTagsAreRead() throws {
    func jpeg(_ tiff: [UInt8]) -> Data {
      let content = Array("Exif".utf8) + [0, 0] + tiff
      return Data([0xFF, 0xD8, 0xFF, 0xE1] + bigEndian(content.count + 2).suffix(2) + content)
    }
    let little: [UInt8] =
      Array("II".utf8) + [42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0]
    let big: [UInt8] =
      Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 3, 0, 0]
    #expect(EXIF.orientation(of: jpeg(little)) == 8 && EXIF.orientation(of: jpeg(big)) == 3)
    for tiff in [little, big] {
      for length in tiff.indices {
        #expect(EXIF.orientation(of: jpeg(Array(tiff.prefix(length)))) == nil)
        var damaged = tiff
        damaged[length] ^= 0xFF
        _ = EXIF.orientation(of: jpeg(damaged))
        #expect(EXIF.orientation(of: jpeg(tiff).prefix(length + 8)) == nil)
      }
    }
  }

  @Test func jpegsInCMYKAreRefusedByName() throws {
    let error = #expect(throws: ImagingError.self) { try decode("cmyk.jpg") }
    #expect(error?.description.contains("CMYK") == true)
    #expect(error?.description.contains("-colorspace sRGB") == true)
  }

  @Test func strayBytesAheadOfThePixelsCostNothing() throws {
    #expect(try decode("stray.jpg").pixels == decode("stray-pixels.png").pixels)
  }
}
