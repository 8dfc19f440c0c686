/// Rendering of a report as one HTML file that needs no other file and no network.
package enum HTMLReport {
  /// Renders a report with its style, its script and the charting library inside.
  ///
  /// The file follows the reader's light or dark colour scheme and prints in the light one. Its
  /// content security policy forbids every request.
  /// - Parameters:
  ///   - report: The report to render.
  ///   - chartLibrary: The text of Chart.js's UMD build, version 3 or 4; without it every
  ///     chart stands as the table of its data.
  ///   - missingLibrary: The reason that there is no library, shown once at each such chart.
  /// - Returns: The text of the HTML file.
  package static func render(
    _ report: Report, chartLibrary: String?,
    missingLibrary: String = ChartLibraryError.notNamed.description
  ) -> String {
    let body = HTMLBody(
      drawsCharts: chartLibrary != nil, missingLibrary: missingLibrary
    ).render(report)
    let title = HTMLEscaping.text(report.title)
    var lines = [
      "<!DOCTYPE html>",
      "<html lang=\"en\">",
      "<head>",
      "<meta charset=\"utf-8\">",
      "<meta http-equiv=\"Content-Security-Policy\" content=\"\(policy)\">",
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
      "<meta name=\"color-scheme\" content=\"light dark\">",
      "<title>\(title)</title>",
      "<style>\n\(PageResource.style)\n</style>",
      "</head>",
      "<body>",
      body.html,
    ]
    if let chartLibrary, body.hasCharts {
      lines.append("<script>\(HTMLEscaping.script(chartLibrary))</script>")
      lines.append("<script>\n\(PageResource.charts)\n</script>")
    }
    if body.html.contains("<thead>") { lines.append("<script>\n\(PageResource.sorting)\n</script>") }
    lines += ["</body>", "</html>", ""]
    return lines.joined(separator: "\n")
  }

  /// Renders a report with the library, or with the reason that there is none.
  package static func render(
    _ report: Report, chartLibrary: Result<String, ChartLibraryError>
  ) -> String {
    switch chartLibrary {
    case .success(let text): render(report, chartLibrary: text)
    case .failure(let reason):
      render(report, chartLibrary: nil, missingLibrary: reason.description)
    }
  }

  /// The content security policy: the file may show its own images, styles and scripts, and nothing from elsewhere.
  private static let policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    + "base-uri 'none'; form-action 'none'"
}
