import Foundation

/// Small images in rows and columns, each with a caption and a verdict.
///
/// Images are enlarged by a whole factor without smoothing, so every pixel can be seen.
package struct ImageGrid: Sendable {
  /// Headings above the columns; those left out at the end are empty.
  package var columnHeadings: [String]
  /// Headings before the rows; those left out at the end are empty.
  package var rowHeadings: [String]
  /// The images, row by row; nil leaves a place empty.
  package var rows: [[Cell?]]
  /// A sentence under the grid.
  package var caption: String?

  package init(
    columnHeadings: [String] = [], rowHeadings: [String] = [], rows: [[Cell?]],
    caption: String? = nil
  ) {
    self.columnHeadings = columnHeadings
    self.rowHeadings = rowHeadings
    self.rows = rows
    self.caption = caption
  }

  /// One image, as the bytes of a PNG file.
  package struct Cell: Sendable {
    package var png: Data
    /// A few words under the image, such as the predicted class.
    package var caption: String
    /// The verdict on the prediction in the caption.
    package var verdict: Verdict

    package init(png: Data, caption: String = "", verdict: Verdict = .none) {
      self.png = png
      self.caption = caption
      self.verdict = verdict
    }
  }

  /// A verdict on an image, shown as the colour of its frame and as a sign before its caption.
  package enum Verdict: String, Sendable {
    case none, right, wrong
  }

  /// The number of columns that hold every heading and every image.
  var columnCount: Int {
    rows.reduce(columnHeadings.count) { max($0, $1.count) }
  }
}
