/// A table as HTML, in a frame of its own that scrolls where the window is narrow.
enum HTMLTable {
  static func html(_ table: ReportTable) -> String {
    let numeric = table.resolvedNumericColumns
    let columns = 0..<table.columnCount
    let kind = { (column: Int) in numeric.contains(column) ? " class=\"number\"" : "" }
    let headings = columns.map { column in
      let text = column < table.header.count ? HTMLEscaping.text(table.header[column]) : ""
      return "<th scope=\"col\"\(kind(column))>\(text)</th>"
    }
    var lines = ["<div class=\"table\">"]
    if let caption = table.caption {
      lines.append("<p class=\"caption\">\(HTMLEscaping.text(caption))</p>")
    }
    lines.append("<div class=\"scroll\" tabindex=\"0\"><table>")
    lines.append("<thead><tr>\(headings.joined())</tr></thead>")
    lines.append("<tbody>")
    for row in table.rows {
      let cells = columns.map { column in
        html(column < row.count ? row[column] : ReportTable.Cell(""), kind: kind(column))
      }
      lines.append("<tr>\(cells.joined())</tr>")
    }
    lines.append("</tbody></table></div>")
    if let command = table.command {
      lines.append(
        "<p class=\"command\">Made by <code>\(HTMLEscaping.text(command))</code></p>")
    }
    lines.append("</div>")
    return lines.joined(separator: "\n")
  }

  private static func html(_ cell: ReportTable.Cell, kind: String) -> String {
    let value = cell.value.map { $0.isFinite ? " data-sort=\"\($0)\"" : "" } ?? ""
    var inner = HTMLEscaping.text(cell.text)
    if let link = cell.link {
      inner = "<a href=\"\(HTMLEscaping.text(link))\">\(inner)</a>"
    }
    inner += cell.notes.map { "<small>\(HTMLEscaping.text($0))</small>" }.joined()
    if !cell.sources.isEmpty {
      let links = cell.sources.map {
        "<a href=\"\(HTMLEscaping.text($0.link))\">\(HTMLEscaping.text($0.name))</a>"
      }
      inner += "<small>\(links.joined(separator: " "))</small>"
    }
    return "<td\(kind)\(value)>\(inner)</td>"
  }
}
