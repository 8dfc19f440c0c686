import CNamidImaging
import Foundation
import NamidFiles

/// An image file in memory, decoded.
public struct DecodedImage: Sendable, Equatable {
  /// `height * width * 3` values: rows from top to bottom, red, green, blue per pixel.
  public let pixels: [UInt8]
  /// Number of rows.
  public let height: Int
  /// Number of columns.
  public let width: Int

  /// Puts pixels and their size together.
  public init(pixels: [UInt8], height: Int, width: Int) {
    precondition(
      pixels.count == height * width * 3,
      "an RGB image of \(height)×\(width) does not have \(pixels.count) values")
    self.pixels = pixels
    self.height = height
    self.width = width
  }
}

/// An error of decoding or encoding.
public struct ImagingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A kind of fault.
  public enum Kind: Sendable {
    /// The bytes are damaged, or of a kind that is not read here.
    case corrupt
    /// The bytes end before their content does.
    case truncated
    /// The content is larger than is allowed.
    case tooLarge
    /// Memory ran out.
    case noMemory
  }

  /// The fault, for programs.
  public let kind: Kind
  /// The fault, for people: one phrase without the file's name.
  public let description: String
}

/// Decodes a JPEG or PNG file to RGB; which of the two it is, its first bytes say.
///
/// Grayscale becomes RGB, transparent pixels show white, orientation tags are left alone. A file that
/// a lenient reader would half decode (cut short, damaged) is an error.
///
/// - Parameter data: The whole file.
/// - Returns: Pixels and size.
/// - Throws: `ImagingError` with the decoder's reason.
public func decodeImage(_ data: Data) throws -> DecodedImage {
  try withDecodedImage(data) { image in
    DecodedImage(pixels: Array(image.pixels), height: image.height, width: image.width)
  }
}

/// An image that is valid only inside of a call.
struct BorrowedImage {
  let pixels: UnsafeBufferPointer<UInt8>
  let height: Int
  let width: Int
  /// The noteworthy about its file.
  let notes: DecodingNotes
}

/// Decodes without a copy; what is transparent shows a background.
func withDecodedImage<Result>(
  _ data: Data, background: Colour = .white, body: (BorrowedImage) throws -> Result
) throws -> Result {
  var image = cimg_pixels()
  defer { cimg_free(image.bytes) }
  let kind = try ImageKind(of: data)
  try withCMessage { message, capacity in
    data.withUnsafeBytes { bytes in
      let start = bytes.bindMemory(to: UInt8.self).baseAddress
      switch kind {
      case .jpeg: return cimg_decode_jpeg(start, bytes.count, &image, message, capacity)
      case .png:
        let colour = [background.red, background.green, background.blue]
        return cimg_decode_png(start, bytes.count, colour, &image, message, capacity)
      }
    }
  }
  let height = Int(image.height)
  let width = Int(image.width)
  let notes = DecodingNotes(
    transparent: Int(image.is_transparent), deep: Int(image.is_deep),
    turned: kind == .jpeg && (EXIF.orientation(of: data) ?? 1) != 1 ? 1 : 0)
  return try body(
    BorrowedImage(
      pixels: UnsafeBufferPointer(start: image.bytes, count: height * width * 3), height: height,
      width: width, notes: notes))
}

private enum ImageKind {
  case jpeg
  case png

  init(of data: Data) throws {
    if data.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if data.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if data.isEmpty {
      throw ImagingError(kind: .truncated, description: "the file is empty")
    } else {
      throw ImagingError(
        kind: .corrupt,
        description: "neither a JPEG nor a PNG file: it starts with \(hexBytes(data.prefix(8)))")
    }
  }
}

/// Runs a C call that reports by status and message, and throws what it reports.
func withCMessage(
  _ call: (_ message: UnsafeMutablePointer<CChar>?, _ capacity: Int) -> cimg_status
) throws {
  var message = [CChar](repeating: 0, count: 256)
  let status = message.withUnsafeMutableBufferPointer { call($0.baseAddress, $0.count) }
  let kind: ImagingError.Kind
  switch status {
  case CIMG_OK: return
  case CIMG_TRUNCATED: kind = .truncated
  case CIMG_TOO_LARGE: kind = .tooLarge
  case CIMG_NO_MEMORY: kind = .noMemory
  default: kind = .corrupt
  }
  let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  throw ImagingError(kind: kind, description: String(decoding: text, as: UTF8.self))
}

/// Bytes as people write them: `1f 8b 08`.
func hexBytes(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { hexDigits($0) }.joined(separator: " ")
}
