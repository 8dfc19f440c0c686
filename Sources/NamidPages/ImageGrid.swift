import Foundation

/// Small images in rows and columns, each with a caption and a verdict.
///
/// Images are enlarged by a whole factor without smoothing, so every pixel can be seen.
package struct ImageGrid: Sendable, Equatable, Codable {
  /// Headings above the columns; those left out at the end are empty.
  package var columnHeadings: [String]
  /// Headings before the rows; those left out at the end are empty.
  package var rowHeadings: [String]
  /// The images, row by row; nil leaves a place empty.
  package var rows: [[Cell?]]
  /// A sentence under the grid.
  package var caption: String?

  /// Makes a grid.
  package init(
    columnHeadings: [String] = [], rowHeadings: [String] = [], rows: [[Cell?]],
    caption: String? = nil
  ) {
    self.columnHeadings = columnHeadings
    self.rowHeadings = rowHeadings
    self.rows = rows
    self.caption = caption
  }

  /// One image with its caption and verdict.
  package struct Cell: Sendable, Equatable, Codable {
    /// The image as the bytes of a PNG file.
    package var png: Data
    /// A few words under the image, such as the predicted class.
    package var caption: String
    /// The verdict on the prediction in the caption.
    package var verdict: Verdict

    /// Makes a cell.
    package init(png: Data, caption: String = "", verdict: Verdict = .none) {
      self.png = png
      self.caption = caption
      self.verdict = verdict
    }
  }

  /// A verdict on an image, shown as the colour of its frame and as a sign before its caption.
  package enum Verdict: String, Sendable, Equatable, Codable {
    /// A missing verdict: there is nothing to judge.
    case none
    /// A right prediction.
    case right
    /// A wrong prediction.
    case wrong
  }

  /// The number of columns that hold every heading and every image.
  var columnCount: Int {
    rows.reduce(columnHeadings.count) { max($0, $1.count) }
  }
}

/// The size that a PNG file states in its first chunk.
struct PNGSize: Equatable {
  var width: Int
  var height: Int

  /// Reads the size, or gives nil where the bytes do not start as a PNG file does.
  init?(of png: Data) {
    let bytes = [UInt8](png.prefix(24))
    let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    guard bytes.count == 24, bytes.starts(with: signature),
      bytes[12..<16].elementsEqual("IHDR".utf8)
    else { return nil }
    width = bytes[16..<20].reduce(0) { $0 << 8 | Int($1) }
    height = bytes[20..<24].reduce(0) { $0 << 8 | Int($1) }
    guard width > 0, height > 0 else { return nil }
  }
}
