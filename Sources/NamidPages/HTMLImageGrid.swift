import Foundation

/// An image grid as an HTML table whose cells hold the images themselves.
enum HTMLImageGrid {
  static func html(_ grid: ImageGrid) -> String {
    let columns = 0..<grid.columnCount
    let hasRowHeadings = grid.rowHeadings.contains { !$0.isEmpty }
    let corner = hasRowHeadings ? "<td></td>" : ""
    var lines = ["<figure class=\"images\">", "<div class=\"scroll\" tabindex=\"0\"><table>"]
    if grid.columnHeadings.contains(where: { !$0.isEmpty }) {
      let headings = columns.map {
        "<th scope=\"col\">\(HTMLEscaping.text(text(grid.columnHeadings, $0)))</th>"
      }
      lines.append("<thead><tr>\(corner)\(headings.joined())</tr></thead>")
    }
    lines.append("<tbody>")
    for (row, cells) in grid.rows.enumerated() {
      let heading = text(grid.rowHeadings, row)
      let start =
        hasRowHeadings ? "<th scope=\"row\">\(HTMLEscaping.text(heading))</th>" : ""
      let images = columns.map { column -> String in
        guard column < cells.count, let cell = cells[column] else { return "<td></td>" }
        let place = [heading, text(grid.columnHeadings, column)].filter { !$0.isEmpty }
        return "<td>\(html(cell, place: place.joined(separator: ", ")))</td>"
      }
      lines.append("<tr>\(start)\(images.joined())</tr>")
    }
    lines.append("</tbody></table></div>")
    if hasVerdicts(grid) {
      lines.append(
        "<p class=\"legend\"><span class=\"right\">✓ right</span> "
          + "<span class=\"wrong\">✗ wrong</span></p>")
    }
    if let caption = grid.caption {
      lines.append("<figcaption>\(HTMLEscaping.text(caption))</figcaption>")
    }
    lines.append("</figure>")
    return lines.joined(separator: "\n")
  }

  private static func hasVerdicts(_ grid: ImageGrid) -> Bool {
    grid.rows.contains { $0.contains { ($0?.verdict ?? .none) != .none } }
  }

  private static func html(_ cell: ImageGrid.Cell, place: String) -> String {
    let sign =
      switch cell.verdict {
      case .none: ""
      case .right: "✓ "
      case .wrong: "✗ "
      }
    let words = sign + HTMLEscaping.text(cell.caption)
    return "<div class=\"cell \(cell.verdict.rawValue)\">\(image(cell, place: place))"
      + (words.isEmpty ? "" : "<span>\(words)</span>") + "</div>"
  }

  private static func image(_ cell: ImageGrid.Cell, place: String) -> String {
    guard let size = PNGSize(of: cell.png) else {
      return "<p class=\"missing\">not a PNG image</p>"
    }
    let words = [place, cell.caption].filter { !$0.isEmpty }.joined(separator: ": ")
    let scale = max(1, Int((84 / Double(size.width)).rounded()))
    // Whole factors keep all pixels equal; narrow windows get the next smaller one.
    return "<img width=\"\(size.width)\" height=\"\(size.height)\" "
      + "style=\"--width:\(size.width)px;--wide:\(scale);--narrow:\(max(1, scale - 1))\" "
      + "alt=\"\(HTMLEscaping.text(words))\" "
      + "src=\"data:image/png;base64,\(cell.png.base64EncodedString())\">"
  }

  private static func text(_ headings: [String], _ index: Int) -> String {
    index < headings.count ? headings[index] : ""
  }
}
