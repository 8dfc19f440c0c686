import Foundation
import NamidPages
import Testing

/// What the tests of the report share.
enum ReportSample {
  /// A stand-in for the charting library, with sequences that would end its element.
  static let charts =
    "/* Chart, typeof exports */ const text = \"</script><!-- </SCRIPT>\";\n"
    + "//# sourceMappingURL=chart.js.map\n"

  static func render(
    _ blocks: [Report.Block], library: Result<String, ChartLibraryError> = .success(charts)
  ) -> String {
    HTMLReport.render(
      Report(title: "Sample", sections: [.init("Part", blocks)]), chartLibrary: library)
  }

  static let chart = Chart(
    title: "Accuracy", xAxis: .init("Training"), yAxis: .init("Accuracy (%)", minimum: 0),
    content: .bar(
      categories: ["natural", "NAMID"],
      series: [
        .init("clean", values: [90.5, 82], intervals: [.init(89, 92), nil]),
        .init("PGD-40", values: [.nan]),
      ]), caption: "Bars are 95 % intervals.")

  /// The smallest start of a PNG file: its signature and the size in its first chunk.
  static func pngHead(width: UInt8, height: UInt8) -> Data {
    Data(
      [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
        + [0, 0, 0, width, 0, 0, 0, height])
  }

  /// How often `part` occurs in `text`.
  static func count(_ part: String, in text: String) -> Int {
    text.components(separatedBy: part).count - 1
  }
}

@Suite("Report")
struct ReportTests {
  @Test("every block appears under its heading, in order")
  func everyBlock() throws {
    let html = HTMLReport.render(
      Report(
        title: "The title", subtitle: "The subtitle",
        sections: [
          .init("First", [.paragraph("Some words."), .code("namid doctor")]),
          .init(
            "Second",
            [
              .facts([("Seed", "17")]),
              .table(.init(header: ["Method"], rows: [["NAMID"]], command: "namid evaluate x")),
            ]),
          .init(
            "Third",
            [
              .chart(ReportSample.chart),
              .imageGrid(
                .init(
                  columnHeadings: ["attacked"], rowHeadings: ["boot"],
                  rows: [
                    [
                      .init(
                        png: ReportSample.pngHead(width: 28, height: 28), caption: "sandal",
                        verdict: .wrong)
                    ]
                  ], caption: "One image.")),
            ]),
        ]), chartLibrary: .success(ReportSample.charts))
    let expected = [
      "<title>The title</title>", "<h1>The title</h1>", "The subtitle", "href=\"#section-1\"",
      "href=\"#section-3\"", "id=\"section-1\"", "<h2>First</h2>", "<p>Some words.</p>",
      "<pre tabindex=\"0\"><code>namid doctor</code></pre>", "<h2>Second</h2>",
      "<dt>Seed</dt><dd>17</dd>", "<th scope=\"col\">Method</th>", "<td>NAMID</td>",
      "Made by <code>namid evaluate x</code>", "<h2>Third</h2>", "<h3>Accuracy</h3>",
      "<canvas data-chart=\"chart-1-data\"", "Bars are 95 % intervals.",
      "<summary>Data of this chart</summary>", "<th scope=\"col\">attacked</th>",
      "<th scope=\"row\">boot</th>", "alt=\"boot, attacked: sandal\"", "✗ sandal", "One image.",
      "new Chart(", "</html>",
    ]
    var rest = html[...]
    for part in expected {
      let range = try #require(rest.range(of: part), "missing or out of order: \(part)")
      rest = rest[range.upperBound...]
    }
  }

  @Test("markup in any string is shown as text")
  func escaping() {
    let nasty = "<b>&\"'</script><img src=x>\u{0}"
    let shown = "&lt;b&gt;&amp;&quot;&#39;&lt;/script&gt;&lt;img src=x&gt;\u{FFFD}"
    let chart = Chart(
      title: nasty, xAxis: .init(nasty), yAxis: .init(nasty),
      content: .bar(categories: [nasty], series: [.init(nasty, values: [1])]), caption: nasty)
    let grid = ImageGrid(
      columnHeadings: [nasty], rowHeadings: [nasty],
      rows: [[.init(png: ReportSample.pngHead(width: 8, height: 8), caption: nasty)]],
      caption: nasty)
    let report = Report(
      title: nasty, subtitle: nasty,
      sections: [
        .init(
          nasty,
          [
            .paragraph(nasty), .facts([(nasty, nasty)]), .code(nasty), .chart(chart),
            .table(
              .init(header: [nasty], rows: [[nasty]], caption: nasty, command: nasty)),
            .imageGrid(grid),
          ])
      ])
    let drawn = HTMLReport.render(report, chartLibrary: .success(ReportSample.charts))
    let table = HTMLReport.render(report, chartLibrary: .failure(.unreadable(path: nasty)))
    for html in [drawn, table] {
      #expect(!html.contains("<b>"))
      #expect(!html.contains("<img src=x"))
      #expect(!html.contains("\u{0}"))
      #expect(html.contains("<title>\(shown)</title>"))
      #expect(html.contains("<dt>\(shown)</dt><dd>\(shown)</dd>"))
      #expect(html.contains("<td>\(shown)</td>"))
    }
    // One JSON block, the library, and the scripts that draw and sort: no other element may end.
    #expect(ReportSample.count("</script", in: drawn.lowercased()) == 4)
    #expect(ReportSample.count("<script", in: drawn.lowercased()) == 4)
    #expect(ReportSample.count("<script", in: table.lowercased()) == 1)
    #expect(table.contains("Chart.js was not at hand: NAMID_CHART_JS names \(shown), which"))
  }

  @Test("the library cannot end its element, start a comment or name a source map")
  func librarySource() {
    let html = ReportSample.render([.chart(ReportSample.chart)])
    #expect(html.contains("const text = \"\\x3C/script>\\x3C!-- \\x3C/SCRIPT>\";"))
    #expect(!html.contains("sourceMappingURL"))
  }

  @Test("nothing is asked for from outside the file")
  func noExternalReferences() {
    let html = HTMLReport.render(
      Report(
        title: "T",
        sections: (0..<3).map { index in
          .init(
            "Part \(index)",
            [
              .paragraph("See https://example.org."), .chart(ReportSample.chart),
              .imageGrid(
                .init(rows: [[.init(png: ReportSample.pngHead(width: 8, height: 8))]])),
            ])
        }), chartLibrary: .success(ReportSample.charts))
    let references = html.matches(of: /(?i)\b(?:src|href|action|srcset|poster)\s*=\s*"([^"]*)"/)
      .map { String($0.1) }
    #expect(references.count == 6)
    for reference in references {
      #expect(reference.hasPrefix("#section-") || reference.hasPrefix("data:image/png;base64,"))
    }
    for part in ["<link", "<iframe", "<base", "@import", "url(", "fetch(", "XMLHttpRequest"] {
      #expect(!html.contains(part), "\(part) could ask for something")
    }
    #expect(html.contains("Content-Security-Policy\" content=\"default-src 'none'; "))
  }

  @Test("a report without charts carries no script, and a short one no contents")
  func noNeedlessParts() {
    let html = ReportSample.render([.paragraph("Words.")])
    #expect(!html.contains("<script"))
    #expect(!html.contains("<nav"))
  }

  @Test("neighbouring charts share a row, others stand alone")
  func chartRows() {
    let chart = Report.Block.chart(ReportSample.chart)
    let html = ReportSample.render([chart, chart, .paragraph("Words."), chart])
    #expect(ReportSample.count("<div class=\"charts\">", in: html) == 1)
    #expect(ReportSample.count("<figure class=\"chart\"", in: html) == 3)
    for number in 1...3 {
      #expect(ReportSample.count("data-chart=\"chart-\(number)-data\"", in: html) == 1)
      #expect(ReportSample.count("id=\"chart-\(number)-data\"", in: html) == 1)
    }
  }
}
