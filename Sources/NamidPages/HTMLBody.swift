/// The part of the file that shows the report's values.
struct HTMLBody {
  var drawsCharts: Bool
  var missingLibrary: String

  /// Renders a report; `hasCharts` is true where the result has charts for the script to draw.
  func render(_ report: Report) -> (html: String, hasCharts: Bool) {
    var lines = ["<header>", "<h1>\(HTMLEscaping.text(report.title))</h1>"]
    if !report.subtitle.isEmpty {
      lines.append("<p class=\"subtitle\">\(HTMLEscaping.text(report.subtitle))</p>")
    }
    lines.append("</header>")
    if report.sections.count > 2 { lines.append(contents(report.sections)) }
    lines.append("<main>")
    var chartCount = 0
    for (index, section) in report.sections.enumerated() {
      lines.append("<section id=\"section-\(index + 1)\">")
      lines.append("<h2>\(HTMLEscaping.text(section.heading))</h2>")
      for group in Self.groups(section.blocks) {
        lines.append(html(group, chartCount: &chartCount))
      }
      lines.append("</section>")
    }
    lines.append("</main>")
    return (lines.joined(separator: "\n"), drawsCharts && chartCount > 0)
  }

  private func contents(_ sections: [Report.Section]) -> String {
    let items = sections.enumerated().map { index, section in
      "<li><a href=\"#section-\(index + 1)\">\(HTMLEscaping.text(section.heading))</a></li>"
    }
    return "<nav aria-label=\"Contents\"><ol>\(items.joined())</ol></nav>"
  }

  /// Splits blocks so that neighbouring charts come together, which lets them share a row.
  static func groups(_ blocks: [Report.Block]) -> [[Report.Block]] {
    blocks.reduce(into: []) { groups, block in
      if case .chart = block, case .chart = groups.last?.last {
        groups[groups.count - 1].append(block)
      } else {
        groups.append([block])
      }
    }
  }

  private func html(_ group: [Report.Block], chartCount: inout Int) -> String {
    var items: [String] = []
    for block in group {
      if case .chart = block { chartCount += 1 }
      items.append(html(block, chartNumber: chartCount))
    }
    let joined = items.joined(separator: "\n")
    return group.count > 1 ? "<div class=\"charts\">\n\(joined)\n</div>" : joined
  }

  private func html(_ block: Report.Block, chartNumber: Int) -> String {
    switch block {
    case .paragraph(let text):
      "<p>\(HTMLEscaping.text(text))</p>"
    case .list(let title, let items):
      "<div class=\"list\"><p>\(HTMLEscaping.text(title))</p><ul>"
        + items.map { "<li>\(HTMLEscaping.text($0))</li>" }.joined() + "</ul></div>"
    case .facts(let facts):
      "<dl class=\"facts\">"
        + facts.map {
          "<div><dt>\(HTMLEscaping.text($0.name))</dt>"
            + "<dd>\(HTMLEscaping.text($0.value))</dd></div>"
        }.joined() + "</dl>"
    case .table(let table):
      HTMLTable.html(table)
    case .chart(let chart):
      HTMLChart.html(
        chart, number: chartNumber, missingLibrary: drawsCharts ? nil : missingLibrary)
    case .imageGrid(let grid):
      HTMLImageGrid.html(grid)
    case .code(let text):
      "<pre tabindex=\"0\"><code>\(HTMLEscaping.text(text))</code></pre>"
    }
  }
}
