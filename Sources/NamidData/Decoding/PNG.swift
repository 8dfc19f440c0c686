import CNamidImaging
import Foundation
import NamidTorch

/// Writing of PNG images.
public enum PNG {
  /// Encodes 8-bit pixels, rows from top to bottom.
  ///
  /// - Parameters:
  ///   - pixels: `height * width * channels` values in the order H, W, C.
  ///   - height: Number of rows, 1 to 16384.
  ///   - width: Number of columns, 1 to 16384.
  ///   - channels: 1 (gray) or 3 (red, green, blue).
  /// - Returns: The bytes of a PNG file.
  /// - Throws: `ImagingError` when the size is out of bounds.
  public static func encode(
    pixels: [UInt8], height: Int, width: Int, channels: Int
  ) throws -> Data {
    precondition(
      pixels.count == height * width * channels,
      "an image of \(height)×\(width)×\(channels) does not have \(pixels.count) values")
    guard let rows = Int32(exactly: height), let columns = Int32(exactly: width),
      let values = Int32(exactly: channels)
    else {
      throw ImagingError(kind: .tooLarge, description: "\(height) × \(width) pixels")
    }
    var file = cimg_bytes()
    defer { cimg_free(file.bytes) }
    try withCMessage { message, capacity in
      cimg_encode_png(pixels, rows, columns, values, &file, message, capacity)
    }
    return Data(UnsafeBufferPointer(start: file.bytes, count: file.count))
  }

  /// Encodes an image of floating-point values; those outside [0, 1] are clipped.
  ///
  /// - Parameter image: (1, C, H, W) with C of 1 or 3.
  /// - Returns: The bytes of a PNG file.
  /// - Throws: `ImagingError` when the size is out of bounds.
  public static func encode(image: Tensor) throws -> Data {
    let bytes = (image * 255.0 + 0.5).clamp(min: 0, max: 255).to(.uint8).permute([0, 2, 3, 1])
    return try encode(
      pixels: bytes.contiguous().array(of: UInt8.self), height: image.size(2),
      width: image.size(3), channels: image.size(1))
  }
}
