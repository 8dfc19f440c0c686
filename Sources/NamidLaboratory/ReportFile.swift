import Foundation
import NamidFiles
import NamidPages

/// A report's two files: figures as JSON, and a page for people.
package struct ReportFile: Sendable {
  /// The file of the page.
  package let page: URL
  /// The file of the figures.
  package let figures: URL

  /// Names the two files of a report in a folder.
  package init(_ name: String, in folder: URL) {
    page = folder.appending(path: "\(name).html")
    figures = folder.appending(path: "\(name).json")
  }

  /// Writes both; each replaces an earlier one as a whole.
  ///
  /// - Parameters:
  ///   - report: The figures.
  ///   - document: The page.
  ///   - chartLibrary: The text of the charting library, or the reason that there is none.
  /// - Throws: `FileError`; a file that cannot be replaced stays as it was.
  package func write(
    _ report: some Encodable, document: Report, chartLibrary: Result<String, ChartLibraryError>
  ) throws {
    let data = try JSONValue(encoding: report).data(indent: 2) + Data("\n".utf8)
    try AtomicFile.write(data, to: figures)
    let html = HTMLReport.render(document, chartLibrary: chartLibrary)
    try AtomicFile.write(Data(html.utf8), to: page)
  }
}
