extension ReportTable {
  /// The table as HTML, in a frame of its own that scrolls where the window is narrow.
  var html: String {
    let numeric = resolvedNumericColumns
    let columns = 0..<columnCount
    let kind = { (column: Int) in numeric.contains(column) ? " class=\"number\"" : "" }
    let headings = columns.map {
      "<th scope=\"col\"\(kind($0))>\((header.at($0) ?? "").escaped)</th>"
    }
    var lines = ["<div class=\"table\">"]
    if let caption { lines.append("<p class=\"caption\">\(caption.escaped)</p>") }
    lines.append("<div class=\"scroll\" tabindex=\"0\"><table>")
    lines.append("<thead><tr>\(headings.joined())</tr></thead>")
    lines.append("<tbody>")
    for row in rows {
      let cells = columns.map { column in (row.at(column) ?? Cell("")).html(kind(column)) }
      lines.append("<tr>\(cells.joined())</tr>")
    }
    lines.append("</tbody></table></div>")
    if let command {
      lines.append("<p class=\"command\">Made by <code>\(command.escaped)</code></p>")
    }
    lines.append("</div>")
    return lines.joined(separator: "\n")
  }
}

extension ReportTable.Cell {
  /// Renders the cell with the attribute that says whether its column has figures.
  fileprivate func html(_ kind: String) -> String {
    let sorting = value.map { $0.isFinite ? " data-sort=\"\($0)\"" : "" } ?? ""
    let link = { (address: String, text: String) in
      "<a href=\"\(address.escaped)\">\(text.escaped)</a>"
    }
    var inner = self.link.map { link($0, text) } ?? text.escaped
    inner += notes.map { "<small>\($0.escaped)</small>" }.joined()
    if !sources.isEmpty {
      let links = sources.map { link($0.link, $0.name) }
      inner += "<small>\(links.joined(separator: " "))</small>"
    }
    return "<td\(kind)\(sorting)>\(inner)</td>"
  }
}
