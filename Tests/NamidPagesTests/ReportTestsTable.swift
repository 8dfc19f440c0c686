import Foundation
import NamidPages
import Testing

@Suite("Report tables and images")
struct ReportTableTests {
  @Test("columns of figures are set flush right, columns of words are not")
  func alignmentFromCells() {
    let html = ReportSample.render([
      .table(
        .init(
          header: ["Method", "Clean", "ε", "Gain", "Nothing"],
          rows: [
            ["PGD-40", "84.2 %", "8/255", "−0.3", "–"], ["18 layers", "n/a", "", "±0.4", "nan"],
          ]))
    ])
    #expect(
      html.contains(
        "<th scope=\"col\">Method</th><th scope=\"col\" class=\"number\">Clean</th>"
          + "<th scope=\"col\" class=\"number\">ε</th><th scope=\"col\" class=\"number\">Gain</th>"
          + "<th scope=\"col\">Nothing</th>"))
    #expect(
      html.contains(
        "<tr><td>PGD-40</td><td class=\"number\">84.2 %</td><td class=\"number\">8/255</td>"
          + "<td class=\"number\">−0.3</td><td>–</td></tr>"))
    #expect(html.contains(".table .number { text-align: right; }"))
  }

  @Test("a cell has a link, small print and the value that rows are sorted by")
  func cells() {
    let html = ReportSample.render([
      .table(
        .init(
          header: ["a", "b"],
          cells: [
            [
              .init("x"),
              .init("43.0 <", notes: ["± 2", "paper 44"], link: "s/\"r.json", value: 0.43),
            ],
            [.init("y"), .init("failed", value: .nan)],
          ], numericColumns: [1]))
    ])
    #expect(
      html.contains(
        "<td class=\"number\" data-sort=\"0.43\"><a href=\"s/&quot;r.json\">43.0 &lt;</a>"
          + "<small>± 2</small><small>paper 44</small></td>"))
    #expect(html.contains("<td class=\"number\">failed</td>"))
    #expect(ReportSample.count("<script", in: html) == 1)
    #expect(ReportSample.count("<script", in: ReportSample.render([.paragraph("words")])) == 0)
  }

  @Test("a list has a line that says what it is")
  func list() {
    let html = ReportSample.render([.list("Left & out:", ["one <b>", "two"])])
    #expect(
      html.contains(
        "<p>Left &amp; out:</p><ul><li>one &lt;b&gt;</li><li>two</li></ul>"))
  }

  @Test("a caller's choice of columns stands")
  func explicitAlignment() {
    let html = ReportSample.render([
      .table(.init(header: ["a", "b"], rows: [["1", "x"]], numericColumns: [1]))
    ])
    #expect(html.contains("<td>1</td><td class=\"number\">x</td>"))
  }

  @Test("rows shorter and longer than the header keep all cells")
  func raggedRows() {
    let html = ReportSample.render([
      .table(.init(header: ["a", "b"], rows: [["x"], ["x", "y", "z"]]))
    ])
    #expect(html.contains("<th scope=\"col\">b</th><th scope=\"col\"></th></tr>"))
    #expect(html.contains("<tr><td>x</td><td></td><td></td></tr>"))
    #expect(html.contains("<tr><td>x</td><td>y</td><td>z</td></tr>"))
  }

  @Test("images are embedded, enlarged by whole factors and framed by their verdict")
  func images() {
    let png = ReportSample.pngHead(width: 28, height: 30)
    let html = ReportSample.render([
      .imageGrid(
        .init(
          rows: [
            [
              .init(png: png, caption: "boot", verdict: .right),
              .init(png: png, caption: "bag", verdict: .wrong), nil,
            ],
            [.init(png: ReportSample.pngHead(width: 224, height: 224), caption: "large")],
          ]))
    ])
    #expect(html.contains("src=\"data:image/png;base64,\(png.base64EncodedString())\""))
    #expect(html.contains("<img width=\"28\" height=\"30\" style=\"--width:28px;--wide:3;"))
    #expect(html.contains("<img width=\"224\" height=\"224\" style=\"--width:224px;--wide:1;"))
    #expect(html.contains("<div class=\"cell right\">"))
    #expect(html.contains("<span>✓ boot</span>"))
    #expect(html.contains("<div class=\"cell wrong\">"))
    #expect(html.contains("<span>✗ bag</span>"))
    #expect(html.contains("<div class=\"cell none\">"))
    #expect(html.contains("<span>large</span>"))
    #expect(html.contains("image-rendering: pixelated"))
    #expect(ReportSample.count("<td></td>", in: html) == 3)
  }

  @Test("bytes that are no PNG are said to be none", arguments: [0, 7, 16, 23])
  func notAnImage(length: Int) {
    let png = ReportSample.pngHead(width: 28, height: 28).prefix(length)
    let html = ReportSample.render([
      .imageGrid(.init(rows: [[.init(png: png, caption: "boot")]]))
    ])
    #expect(!html.contains("<img"))
    #expect(html.contains("not a PNG image"))
    #expect(html.contains("<span>boot</span>"))
  }
}
