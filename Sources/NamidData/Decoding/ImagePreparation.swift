import Foundation

/// A colour of three bytes.
struct Colour: Hashable, Sendable {
  var red: UInt8
  var green: UInt8
  var blue: UInt8

  static let white = Colour(red: 255, green: 255, blue: 255)

  init(red: UInt8, green: UInt8, blue: UInt8) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  /// Reads `white`, `black`, `gray` or six hexadecimal digits.
  init?(_ text: String) {
    let digits = ["white": "ffffff", "black": "000000", "gray": "808080"][text] ?? text
    guard digits.utf8.count == 6, digits.allSatisfy(\.isHexDigit),
      let value = Int(digits, radix: 16)
    else { return nil }
    self.init(
      red: UInt8(value >> 16), green: UInt8(value >> 8 & 0xFF), blue: UInt8(value & 0xFF))
  }

  /// The three bytes in hexadecimal digits, or `white`.
  var text: String {
    self == .white ? "white" : hexBytes([red, green, blue]).replacing(" ", with: "")
  }
}

/// The way from a decoded file to an image of a set.
struct ImagePreparation: Hashable, Sendable, CustomStringConvertible {
  /// The way in which an image becomes a square.
  enum Fit: String, Sendable {
    /// The shorter side is scaled to the square's, the middle is cut out.
    case crop
    /// The longer side is scaled to the square's, the rest is filled with the background.
    case pad
    /// Both sides are scaled to the square's.
    case stretch
  }

  /// The side of the square that images are scaled to; nil where they stay as they are.
  var side: Int?
  var fit = Fit.crop
  /// The colour that shows through transparent pixels and fills what is padded.
  var background = Colour.white

  /// All of it in a few words, for the keys of caches; another method of scaling would need another number.
  var key: String {
    "scaling 1 \(side.map { "\($0) \(fit.rawValue)" } ?? "none") on \(background.text)"
  }

  /// A sentence without its end, for people.
  var description: String {
    let scaled = side.map {
      "scaled to \($0)×\($0) (\(fit.rawValue), bilinear with antialiasing), "
    }
    return (scaled ?? "") + "transparent ones on \(background.text), orientation tags not applied"
  }

  /// Scales an image to the square, in the pixels of PIL's resize with BILINEAR.
  ///
  /// - Parameters:
  ///   - image: Red, green and blue values, rows from top to bottom.
  ///   - height: Number of rows.
  ///   - width: Number of columns.
  ///   - side: The side of the square.
  ///   - target: The square's values.
  func scale(
    _ image: UnsafeBufferPointer<UInt8>, height: Int, width: Int, to side: Int,
    into target: UnsafeMutableBufferPointer<UInt8>
  ) {
    let (rows, columns) = scaledSize(height: height, width: width, side: side)
    let (top, left) = (Self.middle(side, rows), Self.middle(side, columns))
    if rows < side || columns < side {
      for pixel in 0..<side * side {
        target[3 * pixel] = background.red
        target[3 * pixel + 1] = background.green
        target[3 * pixel + 2] = background.blue
      }
    }
    // What lies in the square, in places of the scaled image.
    let vertical = ScalingAxis(
      from: height, to: rows, range: max(0, -top)..<min(rows, side - top))
    let horizontal = ScalingAxis(
      from: width, to: columns, range: max(0, -left)..<min(columns, side - left))
    let strips = horizontal.scaledRows(of: image, height: height, width: width)
    vertical.scaleColumns(
      of: strips, width: horizontal.count, into: target, stride: 3 * side,
      from: 3 * (max(0, top) * side + max(0, left)))
  }

  /// The size of the whole scaled image.
  private func scaledSize(height: Int, width: Int, side: Int) -> (rows: Int, columns: Int) {
    let (short, long) = (min(height, width), max(height, width))
    switch fit {
    case .stretch: return (side, side)
    case .crop:
      // As torchvision's Resize, which cuts off the fraction of the longer side.
      let other = side * long / short
      return height <= width ? (side, other) : (other, side)
    case .pad:
      // As PIL's ImageOps.pad, which rounds the shorter side to the nearest even where in doubt.
      let other = (Double(short) / Double(long) * Double(side)).rounded(.toNearestOrEven)
      return height <= width ? (max(1, Int(other)), side) : (side, max(1, Int(other)))
    }
  }

  /// The place of an extent in the middle of another; negative for a larger one.
  private static func middle(_ side: Int, _ extent: Int) -> Int {
    let half = (Double(abs(side - extent)) / 2).rounded(.toNearestOrEven)
    return side >= extent ? Int(half) : -Int(half)
  }
}
