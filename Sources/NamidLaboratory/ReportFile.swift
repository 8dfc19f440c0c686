import Foundation
import NamidFiles
import NamidPages

/// A report's two files: figures as JSON, and a page for people.
package struct ReportFile: Sendable {
  /// The page.
  package let page: URL
  /// The figures.
  package let figures: URL

  /// Files of a name in a folder.
  package init(_ name: String, in folder: URL) {
    page = folder.appending(path: "\(name).html")
    figures = folder.appending(path: "\(name).json")
  }

  /// Writes both; each replaces an earlier one as a whole.
  ///
  /// - Parameters:
  ///   - report: The figures.
  ///   - document: The page.
  ///   - chartLibrary: The text of the charting library, or why there is none.
  /// - Throws: `FileError`; what was there before stays then.
  package func write(
    _ report: some Encodable, document: Report, chartLibrary: Result<String, ChartLibraryError>
  ) throws {
    let data = try JSONValue(encoding: report).data(indent: 2) + Data("\n".utf8)
    try AtomicFile.write(data, to: figures)
    let html = HTMLReport.render(document, chartLibrary: chartLibrary)
    try AtomicFile.write(Data(html.utf8), to: page)
  }
}
