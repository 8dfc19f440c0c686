extension Chart {
  /// Renders a place to draw the chart, its data for the script and its data as a table.
  ///
  /// `number` is its place among all charts of the file, `missingLibrary` the reason that it cannot be drawn, nil where
  /// it can.
  func html(number: Int, missingLibrary: String?) -> String {
    let payload = ChartPayload(self)
    let isDrawn = missingLibrary == nil && payload.hasData
    var lines = [
      "<figure class=\"chart\" id=\"chart-\(number)\">",
      "<figcaption><h3>\(title.escaped)</h3></figcaption>",
    ]
    if isDrawn {
      lines += [
        "<div class=\"canvas\"><canvas data-chart=\"chart-\(number)-data\" role=\"img\" "
          + "aria-label=\"\(summary.escaped)\"></canvas></div>",
        "<p class=\"note undrawn\">This chart could not be drawn; here are its data.</p>",
        "<noscript><p class=\"note\">Charts need JavaScript; the data are below.</p></noscript>",
      ]
    } else if payload.hasData, let missingLibrary {
      lines.append(
        "<p class=\"note\">Shown as a table, because Chart.js was not at hand: "
          + "\(missingLibrary.escaped).</p>")
    } else {
      lines.append("<p class=\"note\">There are no finite values to draw.</p>")
    }
    if let caption { lines.append("<p class=\"below\">\(caption.escaped)</p>") }
    lines.append("<details\(isDrawn ? "" : " open")><summary>Data of this chart</summary>")
    lines += [table.html, "</details>"]
    if isDrawn, let json = try? payload.json() {
      lines.append(
        "<script type=\"application/json\" id=\"chart-\(number)-data\">"
          + "\(json.escapedAsJSON)</script>")
    }
    lines.append("</figure>")
    return lines.joined(separator: "\n")
  }

  /// A description of the drawing for readers who cannot see it.
  private var summary: String {
    let (kind, names) =
      switch content {
      case .line(let series): ("Line chart", series.map(\.name))
      case .bar(_, let series): ("Bar chart", series.map(\.name))
      case .histogram(_, let series): ("Histogram", series.map(\.name))
      }
    return "\(kind): \(title). Series: \(names.joined(separator: ", ")). "
      + "The data follow as a table."
  }
}
