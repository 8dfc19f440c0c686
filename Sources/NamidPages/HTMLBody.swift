/// The part of the file that shows the report's values.
struct HTMLBody {
  /// The reason that charts cannot be drawn; nil where they can.
  let missingLibrary: String?
  /// The number of charts rendered so far.
  private(set) var chartCount = 0

  init(missingLibrary: String?) {
    self.missingLibrary = missingLibrary
  }

  mutating func render(_ report: Report) -> String {
    var lines = ["<header>", "<h1>\(report.title.escaped)</h1>"]
    if !report.subtitle.isEmpty {
      lines.append("<p class=\"subtitle\">\(report.subtitle.escaped)</p>")
    }
    lines.append("</header>")
    if report.sections.count > 2 { lines.append(contents(report.sections)) }
    lines.append("<main>")
    for (index, section) in report.sections.enumerated() {
      lines.append("<section id=\"section-\(index + 1)\">")
      lines.append("<h2>\(section.heading.escaped)</h2>")
      for group in Self.groups(section.blocks) {
        var items: [String] = []
        for block in group { items.append(html(block)) }
        let joined = items.joined(separator: "\n")
        lines.append(group.count > 1 ? "<div class=\"charts\">\n\(joined)\n</div>" : joined)
      }
      lines.append("</section>")
    }
    lines.append("</main>")
    return lines.joined(separator: "\n")
  }

  private func contents(_ sections: [Report.Section]) -> String {
    let items = sections.enumerated().map { index, section in
      "<li><a href=\"#section-\(index + 1)\">\(section.heading.escaped)</a></li>"
    }
    return "<nav aria-label=\"Contents\"><ol>\(items.joined())</ol></nav>"
  }

  /// Splits blocks so that neighbouring charts come together, which lets them share a row.
  private static func groups(_ blocks: [Report.Block]) -> [[Report.Block]] {
    blocks.reduce(into: []) { groups, block in
      if case .chart = block, case .chart = groups.last?.last {
        groups[groups.count - 1].append(block)
      } else {
        groups.append([block])
      }
    }
  }

  private mutating func html(_ block: Report.Block) -> String {
    switch block {
    case .paragraph(let text): return "<p>\(text.escaped)</p>"
    case .list(let title, let items):
      return "<div class=\"list\"><p>\(title.escaped)</p><ul>"
        + items.map { "<li>\($0.escaped)</li>" }.joined() + "</ul></div>"
    case .facts(let facts):
      return "<dl class=\"facts\">"
        + facts.map { name, value in
          "<div><dt>\(name.escaped)</dt><dd>\(value.escaped)</dd></div>"
        }.joined() + "</dl>"
    case .table(let table): return table.html
    case .chart(let chart):
      chartCount += 1
      return chart.html(number: chartCount, missingLibrary: missingLibrary)
    case .imageGrid(let grid): return grid.html
    case .code(let text): return "<pre tabindex=\"0\"><code>\(text.escaped)</code></pre>"
    }
  }
}
