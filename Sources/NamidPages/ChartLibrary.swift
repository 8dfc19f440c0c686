import Foundation
import NamidFiles

/// The text of Chart.js, read from the file that the environment names.
///
/// Any UMD build of Chart.js 3 or 4 serves, such as Debian's `chart.min.js` (3.9.1) or the
/// `chart.umd.js` of the npm package.
package enum ChartLibrary {
  /// The environment variable that names the file.
  package static let variable = "NAMID_CHART_JS"

  /// The longest file that is read; Chart.js itself takes 0.2 MB minified and 0.6 MB in full.
  static let maximumBytes = 4 << 20

  /// The library's text, or the reason that there is none, to be shown in a report.
  package static var loaded: Result<String, ChartLibraryError> {
    Result { () throws(ChartLibraryError) in try load() }
  }

  /// Reads the library's text from the file that the environment names.
  package static func load(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ChartLibraryError) -> String {
    guard let path = environment[variable], !path.isEmpty else { throw .notNamed }
    let file = URL(fileURLWithPath: path)
    guard FileKind(of: file) == .file else { throw .unreadable(path: path) }
    let bytes: Data
    do {
      bytes = try readFile(at: file, limit: maximumBytes)
    } catch .overLimit {
      throw .tooLong(path: path)
    } catch {
      throw .unreadable(path: path)
    }
    // A module build says `export` where the UMD build says `exports`, and an inline script
    // cannot export.
    guard let text = String(data: bytes, encoding: .utf8), text.contains("Chart"),
      text.contains("typeof exports")
    else { throw .notChartJS(path: path) }
    return text
  }
}

/// The reason that a report has no charting library.
package enum ChartLibraryError: Error, Equatable, CustomStringConvertible {
  /// The environment names no file.
  case notNamed
  /// The file is missing, is no regular file or may not be read.
  case unreadable(path: String)
  /// The file is longer than any build of Chart.js.
  case tooLong(path: String)
  /// The file is not a UMD build of Chart.js.
  case notChartJS(path: String)

  package var description: String {
    let (path, reason) =
      switch self {
      case .notNamed: ("", "")
      case .unreadable(let path): (path, "which is not a file that can be read")
      case .tooLong(let path):
        (path, "which is longer than \(ChartLibrary.maximumBytes) bytes and so not Chart.js")
      case .notChartJS(let path): (path, "which is not a UMD build of Chart.js")
      }
    return ChartLibrary.variable + (self == .notNamed ? " is not set" : " names \(path), \(reason)")
      + "; set \(ChartLibrary.variable) to Chart.js's chart.min.js or chart.umd.js"
  }
}
