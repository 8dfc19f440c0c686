import Foundation
import Records

/// A report's two files: figures as JSON, and a page for people.
public struct ReportFile: Sendable {
  /// The page.
  public let page: URL
  /// The figures.
  public let figures: URL

  /// Files of a name in a folder.
  public init(_ name: String, in folder: URL) {
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
  public func write(
    _ report: some Encodable, document: Report, chartLibrary: Result<String, ChartLibraryError>
  ) throws {
    let data = try JSONValue(encoding: report).data(indent: 2) + Data("\n".utf8)
    try AtomicFile.write(data, to: figures)
    let html = HTMLReport.render(document, chartLibrary: chartLibrary)
    try AtomicFile.write(Data(html.utf8), to: page)
  }
}
