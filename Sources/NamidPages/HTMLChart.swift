/// A chart as HTML: a place to draw it, its data for the script and its data as a table.
enum HTMLChart {
  /// Renders the chart with the given place among all charts of the file; `missingLibrary` is the
  /// reason that it cannot be drawn, nil where it can.
  static func html(_ chart: Chart, number: Int, missingLibrary: String?) -> String {
    let payload = ChartPayload(chart)
    let isDrawn = missingLibrary == nil && payload.hasData
    var lines = [
      "<figure class=\"chart\" id=\"chart-\(number)\">",
      "<figcaption><h3>\(HTMLEscaping.text(chart.title))</h3></figcaption>",
    ]
    if isDrawn {
      let label = HTMLEscaping.text(summary(chart))
      lines.append(
        "<div class=\"canvas\"><canvas data-chart=\"chart-\(number)-data\" role=\"img\" "
          + "aria-label=\"\(label)\"></canvas></div>")
      lines.append(
        "<p class=\"note undrawn\">This chart could not be drawn; here are its data.</p>")
      lines.append(
        "<noscript><p class=\"note\">Charts need JavaScript; the data are below.</p></noscript>")
    } else if payload.hasData, let missingLibrary {
      lines.append(
        "<p class=\"note\">Shown as a table, because Chart.js was not at hand: "
          + "\(HTMLEscaping.text(missingLibrary)).</p>")
    } else {
      lines.append("<p class=\"note\">There are no finite values to draw.</p>")
    }
    if let caption = chart.caption {
      lines.append("<p class=\"below\">\(HTMLEscaping.text(caption))</p>")
    }
    lines.append("<details\(isDrawn ? "" : " open")><summary>Data of this chart</summary>")
    lines.append(HTMLTable.html(chart.table))
    lines.append("</details>")
    if isDrawn, let json = try? payload.json() {
      lines.append(
        "<script type=\"application/json\" id=\"chart-\(number)-data\">"
          + "\(HTMLEscaping.json(json))</script>")
    }
    lines.append("</figure>")
    return lines.joined(separator: "\n")
  }

  /// Describes the drawing for readers who cannot see it.
  private static func summary(_ chart: Chart) -> String {
    let (kind, names) =
      switch chart.content {
      case .line(let series): ("Line chart", series.map(\.name))
      case .bar(_, let series): ("Bar chart", series.map(\.name))
      case .histogram(_, let series): ("Histogram", series.map(\.name))
      }
    return "\(kind): \(chart.title). Series: \(names.joined(separator: ", ")). "
      + "The data follow as a table."
  }
}
