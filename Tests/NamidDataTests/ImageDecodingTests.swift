import Foundation
import NamidData
import Testing

// Made with Pillow 13.0; the pixels are what Pillow decodes.
private let colourJPEG =
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywt"
  + "QFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09P"
  + "T09PT09PT09PT09PT09PT09PT0//wAARCAAEAAYDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAYEAEB"
  + "AAMAAAAAAAAAAAAAAAAABAUTM//EABUBAQEAAAAAAAAAAAAAAAAAAAME/8QAHREAAAUFAAAAAAAAAAAAAAAAAAECAwQT"
  + "FCEikf/aAAwDAQACEQMRAD8AuDDxa+QApbzlZWx9FEB1dunJj//Z"
private let colourPixels: [UInt8] = [
  2, 10, 215, 20, 14, 210, 55, 18, 194, 91, 22, 177, 132, 21, 159, 151, 22, 148, 20, 51, 217, 39,
  55, 210, 72, 60, 196, 110, 63, 179, 149, 64, 158, 168, 64, 149, 36, 114, 197, 53, 117, 191, 86,
  121, 177, 125, 125, 161, 163, 125, 140, 183, 126, 132, 48, 151, 194, 65, 154, 188, 100, 158, 172,
  137, 162, 158, 177, 161, 136, 197, 163, 128,
]
private let grayJPEG =
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQF"
  + "dBRkxOUlNSMj5aYVpQYEpRUk//wAALCAAEAAYBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABkQAAEFAAAAAAAAAAAA"
  + "AAAAAAMABhQxQv/aAAgBAQAAPwAGeAcOsr//2Q=="
private let grayPixels: [UInt8] = [
  0, 30, 64, 92, 122, 149, 8, 39, 73, 100, 130, 157, 19, 49, 83, 111, 140, 168, 27, 57, 91, 118,
  148, 176,
]
private let cmykJPEG =
  "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBXQU"
  + "ZMTlJTUjI+WmFaUGBKUVJP/8AAFAgAAgACBEMRAE0RAFkRAEsRAP/EABQAAQAAAAAAAAAAAAAAAAAAAAf/xAAUEAEAAAAA"
  + "AAAAAAAAAAAAAAAA/9oADgRDAE0AWQBLAAA/AEkkkkkv/9k="
private let palettePNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACAQMAAABIeJ9nAAAABlBMVEUKFB7IZDJ3oLOcAAAAAXRSTlMAQObYZgAAAAxJREFU"
  + "eJxjcGByAAABCACDGIaLzgAAAABJRU5ErkJggg=="
private let deepGrayPNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACEAAAAAAHTY67AAAAEklEQVR4nGNgYPj/n4md/eRJAA+TA6F+glzQAAAAAElFTkSu"
  + "QmCC"
private let alphaPNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGNkZGJmYGZmbgAAANUAkaVBWMMAAAAASUVORK5C"
  + "YII="

struct ImageDecodingTests {
  @Test func colourJPEGHasThePixelsOfAnotherDecoder() throws {
    let image = try decodeImage(base64(colourJPEG))
    #expect(image == DecodedImage(pixels: colourPixels, height: 4, width: 6))
  }

  @Test func grayJPEGBecomesRGB() throws {
    let image = try decodeImage(base64(grayJPEG))
    #expect(
      image
        == DecodedImage(pixels: grayPixels.flatMap { [$0, $0, $0] }, height: 4, width: 6))
  }

  @Test func paletteDeepGrayAndTransparentPNGBecomeRGB() throws {
    // The first colour is transparent.
    #expect(
      try decodeImage(base64(palettePNG)).pixels
        == [255, 255, 255, 200, 100, 50, 200, 100, 50, 255, 255, 255])
    #expect(
      try decodeImage(base64(deepGrayPNG)).pixels
        == [0, 0, 0, 255, 255, 255, 7, 7, 7, 200, 200, 200])
    // Wholly transparent, and half: what shows is white.
    #expect(try decodeImage(base64(alphaPNG)).pixels == [255, 255, 255, 129, 130, 130])
  }

  @Test(arguments: [colourJPEG, grayJPEG, palettePNG, deepGrayPNG])
  func aFileCutAnywhereIsAnError(_ text: String) throws {
    let whole = try base64(text)
    for length in 0..<whole.count {
      #expect(throws: ImagingError.self, "cut after \(length) of \(whole.count) bytes") {
        try decodeImage(whole.prefix(length))
      }
    }
  }

  @Test(arguments: [colourJPEG, palettePNG])
  func damagedFilesEndInAnErrorOrAnImageOfTheSameKind(_ text: String) throws {
    let whole = try base64(text)
    for position in whole.indices {
      var damaged = whole
      damaged[position] ^= 0x55
      do {
        let image = try decodeImage(damaged)
        #expect(image.pixels.count == image.height * image.width * 3)
      } catch let error as ImagingError {
        #expect(!error.description.isEmpty)
      }
    }
  }

  @Test func aDamagedPNGChecksumIsAnError() throws {
    var file = try PNG.encode(
      pixels: pattern(image: 1, count: 48), height: 4, width: 4, channels: 3)
    let position = try #require(file.firstRange(of: Data("IDAT".utf8))?.upperBound)
    file[position + 6] ^= 1
    #expect(throws: ImagingError.self) { try decodeImage(file) }
  }

  @Test func whatIsNoImageIsNamedByItsFirstBytes() throws {
    let gif = Data("GIF89a and so on".utf8)
    let error = #expect(throws: ImagingError.self) { try decodeImage(gif) }
    #expect(error?.description.contains("47 49 46 38") == true)
    #expect(throws: ImagingError.self) { try decodeImage(Data()) }
  }

  @Test func colourSpacesThatAreNoRGBAreRefused() throws {
    let error = #expect(throws: ImagingError.self) { try decodeImage(base64(cmykJPEG)) }
    #expect(error?.kind == .corrupt)
  }

  @Test func sizesAreBoundedBeforeAnyAllocation() throws {
    var jpeg = try base64(colourJPEG)
    let frame = try #require(jpeg.firstRange(of: Data([0xFF, 0xC0]))?.lowerBound)
    jpeg.replaceSubrange((frame + 5)..<(frame + 9), with: [0xFF, 0x00, 0xFF, 0x00])
    #expect(#expect(throws: ImagingError.self) { try decodeImage(jpeg) }?.kind == .tooLarge)

    // 16000 × 16000 is within both sides and over the number of pixels; the PNG header's own
    // checksum follows the sizes.
    let header: [UInt8] = [0, 0, 0x3E, 0x80, 0, 0, 0x3E, 0x80, 8, 2, 0, 0, 0]
    var png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13])
    let chunk = Array("IHDR".utf8) + header
    let crc = gzip(chunk).suffix(8).prefix(4).reversed()
    png += Data(chunk + crc + [0, 0, 0, 0] + Array("IDAT".utf8) + [0x35, 0xAF, 0x06, 0x1E])
    #expect(#expect(throws: ImagingError.self) { try decodeImage(png) }?.kind == .tooLarge)
  }

  @Test(arguments: [(1, 7, 5), (3, 5, 7), (3, 1, 1), (1, 300, 2)])
  func encodedPNGComesBack(_ channels: Int, _ height: Int, _ width: Int) throws {
    let pixels = pattern(image: 3, count: height * width * channels)
    let file = try PNG.encode(pixels: pixels, height: height, width: width, channels: channels)
    let image = try decodeImage(file)
    #expect(image.height == height && image.width == width)
    #expect(image.pixels == (channels == 3 ? pixels : pixels.flatMap { [$0, $0, $0] }))
  }

  @Test func anImageWithoutPixelsIsNotEncoded() {
    #expect(throws: ImagingError.self) {
      try PNG.encode(pixels: [], height: 0, width: 4, channels: 3)
    }
  }
}
