/// A table as HTML, in a frame of its own that scrolls where the window is narrow.
enum HTMLTable {
  static func html(_ table: ReportTable) -> String {
    let numeric = table.resolvedNumericColumns
    let columns = 0..<table.columnCount
    func cells(_ element: String, _ texts: [String]) -> String {
      columns.map { column in
        let kind = numeric.contains(column) ? " class=\"number\"" : ""
        let text = column < texts.count ? HTMLEscaping.text(texts[column]) : ""
        return "<\(element)\(kind)>\(text)</\(element.prefix(2))>"
      }.joined()
    }
    var lines = ["<div class=\"table\">"]
    if let caption = table.caption {
      lines.append("<p class=\"caption\">\(HTMLEscaping.text(caption))</p>")
    }
    lines.append("<div class=\"scroll\" tabindex=\"0\"><table>")
    lines.append("<thead><tr>\(cells("th scope=\"col\"", table.header))</tr></thead>")
    lines.append("<tbody>")
    for (index, row) in table.rows.enumerated() {
      let highlight = index == table.highlightedRow ? " class=\"highlight\"" : ""
      lines.append("<tr\(highlight)>\(cells("td", row))</tr>")
    }
    lines.append("</tbody></table></div>")
    if let command = table.command {
      lines.append(
        "<p class=\"command\">Made by <code>\(HTMLEscaping.text(command))</code></p>")
    }
    lines.append("</div>")
    return lines.joined(separator: "\n")
  }
}
