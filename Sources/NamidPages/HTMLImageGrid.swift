import Foundation

extension ImageGrid {
  /// The grid as an HTML table whose cells hold the images themselves.
  var html: String {
    let columns = 0..<columnCount
    let hasRowHeadings = rowHeadings.contains { !$0.isEmpty }
    var lines = ["<figure class=\"images\">", "<div class=\"scroll\" tabindex=\"0\"><table>"]
    if columnHeadings.contains(where: { !$0.isEmpty }) {
      let corner = hasRowHeadings ? "<td></td>" : ""
      let headings = columns.map {
        "<th scope=\"col\">\((columnHeadings.at($0) ?? "").escaped)</th>"
      }
      lines.append("<thead><tr>\(corner)\(headings.joined())</tr></thead>")
    }
    lines.append("<tbody>")
    for (row, cells) in rows.enumerated() {
      let heading = rowHeadings.at(row) ?? ""
      let start = hasRowHeadings ? "<th scope=\"row\">\(heading.escaped)</th>" : ""
      let images = columns.map { column -> String in
        guard let cell = cells.at(column) ?? nil else { return "<td></td>" }
        let place = [heading, columnHeadings.at(column) ?? ""].filter { !$0.isEmpty }
        return "<td>\(cell.html(place: place.joined(separator: ", ")))</td>"
      }
      lines.append("<tr>\(start)\(images.joined())</tr>")
    }
    lines.append("</tbody></table></div>")
    if rows.contains(where: { $0.contains { ($0?.verdict ?? .none) != .none } }) {
      lines.append(
        "<p class=\"legend\"><span class=\"right\">✓ right</span> "
          + "<span class=\"wrong\">✗ wrong</span></p>")
    }
    if let caption { lines.append("<figcaption>\(caption.escaped)</figcaption>") }
    lines.append("</figure>")
    return lines.joined(separator: "\n")
  }
}

extension ImageGrid.Cell {
  /// Renders the cell; `place` is the words of its row and column.
  fileprivate func html(place: String) -> String {
    let sign =
      switch verdict {
      case .none: ""
      case .right: "✓ "
      case .wrong: "✗ "
      }
    let words = sign + caption.escaped
    return "<div class=\"cell \(verdict.rawValue)\">\(image(place: place))"
      + (words.isEmpty ? "" : "<span>\(words)</span>") + "</div>"
  }

  private func image(place: String) -> String {
    guard let (width, height) = Self.size(of: png) else {
      return "<p class=\"missing\">not a PNG image</p>"
    }
    let words = [place, caption].filter { !$0.isEmpty }.joined(separator: ": ")
    let scale = max(1, Int((84 / Double(width)).rounded()))
    // Whole factors keep all pixels equal; narrow windows get the next smaller one.
    return "<img width=\"\(width)\" height=\"\(height)\" "
      + "style=\"--width:\(width)px;--wide:\(scale);--narrow:\(max(1, scale - 1))\" "
      + "alt=\"\(words.escaped)\" src=\"data:image/png;base64,\(png.base64EncodedString())\">"
  }

  /// Reads the size that a PNG file states in its first chunk; nil where the bytes do not start as such a file does.
  private static func size(of png: Data) -> (width: Int, height: Int)? {
    let bytes = [UInt8](png.prefix(24))
    let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    guard bytes.count == 24, bytes.starts(with: signature),
      bytes[12..<16].elementsEqual("IHDR".utf8)
    else { return nil }
    let number = { (range: Range<Int>) in bytes[range].reduce(0) { $0 << 8 | Int($1) } }
    let (width, height) = (number(16..<20), number(20..<24))
    return width > 0 && height > 0 ? (width, height) : nil
  }
}
