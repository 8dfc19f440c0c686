import Foundation

/// Rendering of a report as one HTML file that needs no other file and no network.
package enum HTMLReport {
  /// Renders a report with its style, its scripts and the charting library inside.
  ///
  /// The file follows the reader's light or dark colour scheme and prints in the light one. Its
  /// content security policy forbids every request.
  /// - Parameters:
  ///   - report: The report to render.
  ///   - chartLibrary: The text of Chart.js's UMD build, version 3 or 4, or the reason that there is none. Without it
  ///     every chart stands as the table of its data, below that reason.
  /// - Returns: The text of the HTML file.
  package static func render(
    _ report: Report, chartLibrary: Result<String, ChartLibraryError>
  ) -> String {
    var missing: String?
    if case .failure(let reason) = chartLibrary { missing = reason.description }
    var body = HTMLBody(missingLibrary: missing)
    let html = body.render(report)
    var lines = [
      "<!DOCTYPE html>",
      "<html lang=\"en\">",
      "<head>",
      "<meta charset=\"utf-8\">",
      "<meta http-equiv=\"Content-Security-Policy\" content=\"\(policy)\">",
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
      "<meta name=\"color-scheme\" content=\"light dark\">",
      "<title>\(report.title.escaped)</title>",
      "<style>\n\(text(PackageResources.page_css))\n</style>",
      "</head>",
      "<body>",
      html,
    ]
    if case .success(let library) = chartLibrary, body.chartCount > 0 {
      lines.append("<script>\(library.escapedAsScript)</script>")
      lines.append("<script>\n\(text(PackageResources.charts_js))\n</script>")
    }
    if html.contains("<thead>") {
      lines.append("<script>\n\(text(PackageResources.sorting_js))\n</script>")
    }
    lines += ["</body>", "</html>", ""]
    return lines.joined(separator: "\n")
  }

  /// The content security policy: the file may show its own images, styles and scripts, and nothing from elsewhere.
  private static let policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    + "base-uri 'none'; form-action 'none'"

  /// Returns the text of a file of the folder `Resources`, which the build embeds.
  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
  }
}
