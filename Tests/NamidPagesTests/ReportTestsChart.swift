import Foundation
import NamidPages
import Testing

@Suite("Report charts")
struct ReportChartTests {
  /// The JSON that the script gets for the first chart, as it stands in the file.
  private func payload(_ chart: Chart) throws -> [String: Any] {
    let html = ReportSample.render([.chart(chart)])
    let block = try #require(
      html.firstMatch(
        of: /(?s)<script type="application\/json" id="chart-1-data">(.*?)<\/script>/))
    let json = try JSONSerialization.jsonObject(with: Data(block.1.utf8))
    return try #require(json as? [String: Any])
  }

  private func series(_ payload: [String: Any]) throws -> [[String: Any]] {
    try #require(payload["series"] as? [[String: Any]])
  }

  @Test("bars reach the script with their categories, intervals and gaps")
  func barPayload() throws {
    let payload = try payload(ReportSample.chart)
    #expect(payload["kind"] as? String == "bar")
    #expect(payload["categories"] as? [String] == ["natural", "NAMID"])
    let series = try series(payload)
    #expect(series.map { $0["name"] as? String } == ["clean", "PGD-40"])
    #expect(series[0]["y"] as? [Double] == [90.5, 82])
    let intervals = try #require(series[0]["intervals"] as? [Any])
    #expect(intervals.first as? [Double] == [89, 92])
    #expect(intervals.last is NSNull)
    let gaps = try #require(series[1]["y"] as? [Any])
    #expect(gaps.count == 2)
    #expect(gaps.allSatisfy { $0 is NSNull })
    let y = try #require(payload["y"] as? [String: Any])
    #expect(y["title"] as? String == "Accuracy (%)")
    #expect(y["minimum"] as? Double == 0)
    #expect(y["maximum"] == nil)
  }

  @Test("lines reach the script point by point")
  func pointPayload() throws {
    let points = [
      Chart.Point(x: 1, y: 0.5, interval: .init(0.4, 0.6)), Chart.Point(x: 2, y: .infinity),
      Chart.Point(x: .nan, y: 3, interval: .init(.nan, 4)),
    ]
    let payload = try payload(
      Chart(
        title: "L", yAxis: .init("Loss"), content: .line([.init("loss", points: points)])))
    #expect(payload["kind"] as? String == "line")
    let first = try #require(try series(payload).first)
    let x = try #require(first["x"] as? [Any])
    let y = try #require(first["y"] as? [Any])
    let intervals = try #require(first["intervals"] as? [Any])
    #expect(x[0] as? Double == 1 && x[1] as? Double == 2 && x[2] is NSNull)
    #expect(y[0] as? Double == 0.5 && y[1] is NSNull && y[2] as? Double == 3)
    #expect(intervals[0] as? [Double] == [0.4, 0.6])
    #expect(intervals[1] is NSNull && intervals[2] is NSNull)
  }

  @Test("strings that would end the JSON's element come back as they were")
  func hostileNames() throws {
    let name = "</script><!-- & \" \\ \u{2028} <script>"
    let payload = try payload(
      Chart(
        title: name, xAxis: .init(name),
        content: .bar(categories: [name], series: [.init(name, values: [1])])))
    #expect(payload["categories"] as? [String] == [name])
    #expect(try series(payload).first?["name"] as? String == name)
    #expect((payload["x"] as? [String: Any])?["title"] as? String == name)
  }

  @Test("samples are counted once each into equal bins that all series share")
  func histogram() throws {
    let content = Chart.Content.histogram(
      of: [("a", [0, 0.1, 0.5, 0.99, 1, .nan]), ("b", [0.25, .infinity])], bins: 4)
    #expect(
      content
        == .histogram(
          edges: [0, 0.25, 0.5, 0.75, 1],
          series: [.init("a", values: [2, 0, 1, 2]), .init("b", values: [0, 1, 0, 0])]))
    let payload = try payload(Chart(title: "H", content: content))
    #expect(payload["kind"] as? String == "histogram")
    #expect(payload["edges"] as? [Double] == [0, 0.25, 0.5, 0.75, 1])
  }

  @Test("samples without spread, and no samples at all, still give bins")
  func degenerateHistograms() {
    #expect(
      Chart.Content.histogram(of: [("a", [3, 3, 3])], bins: 2)
        == .histogram(edges: [2.5, 3, 3.5], series: [.init("a", values: [0, 3])]))
    #expect(
      Chart.Content.histogram(of: [("a", [.nan])], bins: 2)
        == .histogram(edges: [0, 0.5, 1], series: [.init("a", values: [0, 0])]))
    let cases: [[Double]] = [
      [1e300, 1e300], [-1e300, 1e300], [0, .leastNonzeroMagnitude], [1e16, 1e16 + 2],
    ]
    for extremes in cases {
      guard
        case .histogram(let edges, let series) = Chart.Content.histogram(
          of: [("a", extremes)], bins: 7)
      else { continue }
      #expect(series[0].values.reduce(0, +) == 2)
      #expect(edges.count == 8 && edges.allSatisfy(\.isFinite))
    }
  }

  @Test("unequal bins stand on places named by their limits")
  func unequalBins() throws {
    let payload = try payload(
      Chart(
        title: "H", content: .histogram(edges: [1, 2, 8], series: [.init("n", values: [5, 6])])))
    #expect(payload["kind"] as? String == "binned")
    #expect(payload["categories"] as? [String] == ["1 – 2", "2 – 8"])
  }

  @Test("every chart offers its data as a table")
  func tables() {
    let line = Chart(
      title: "L", xAxis: .init("Epoch"), yAxis: .init("Loss"),
      content: .line([
        .init("natural", points: [.init(x: 1, y: 0.123456789), .init(x: 3, y: .nan)]),
        .init("NAMID", points: [.init(x: 2, y: 123_456, interval: .init(1, 2.5))]),
      ]))
    let bins = Chart(
      title: "H", content: .histogram(edges: [0, 0.5], series: [.init("n", values: [7])]))
    let cases: [(Chart, [String])] = [
      (
        line,
        [
          ">Epoch</th>", ">natural</th>", ">NAMID</th>", ">1</td><td class=\"number\">0.12346<",
          ">2</td><td class=\"number\"></td><td class=\"number\">123456 (1 to 2.5)<",
          ">3</td><td class=\"number\">nan<",
        ]
      ),
      (bins, [">From</th>", ">To</th>", ">0</td><td class=\"number\">0.5</td>", ">7<"]),
      (ReportSample.chart, [">Training</th>", ">natural</td>", ">90.5 (89 to 92)<", ">nan<"]),
    ]
    for (chart, parts) in cases {
      let html = ReportSample.render([.chart(chart)])
      #expect(html.contains("<details><summary>Data of this chart</summary>"))
      for part in parts { #expect(html.contains(part), "\(chart.title) lacks \(part)") }
    }
  }

  @Test("a very long table is thinned and says so, the JSON is not")
  func longTable() throws {
    let chart = Chart(
      title: "L",
      content: .line([.init("s", points: (0..<1001).map { .init(x: Double($0), y: 1) })]))
    let html = ReportSample.render([.chart(chart)])
    #expect(html.contains("400 of 1001 rows"))
    #expect(ReportSample.count("<tr><td", in: html) == 400)
    #expect(html.contains("<tr><td class=\"number\">0</td>"))
    #expect(html.contains("<tr><td class=\"number\">1000</td>"))
    #expect((try series(try payload(chart)).first?["y"] as? [Double])?.count == 1001)
  }

  @Test("without the library a chart is an open table with one line that says why")
  func fallback() {
    let html = ReportSample.render([.chart(ReportSample.chart)], library: .failure(.notNamed))
    #expect(html.contains("<details open><summary>"))
    #expect(html.contains("Chart.js was not at hand: NAMID_CHART_JS is not set;"))
    #expect(html.contains(">90.5 (89 to 92)<"))
    #expect(!html.contains("<canvas"))
    // Nothing but what sorts tables.
    #expect(ReportSample.count("<script", in: html) == 1 && html.contains("aria-sort"))
  }

  @Test("a chart without a finite value is not drawn")
  func nothingToDraw() {
    let html = ReportSample.render([
      .chart(.init(title: "E", content: .line([.init("s", points: [.init(x: 1, y: .nan)])]))),
      .chart(.init(title: "N", content: .bar(categories: [], series: []))),
    ])
    #expect(ReportSample.count("There are no finite values to draw.", in: html) == 2)
    #expect(!html.contains("<canvas"))
  }
}
