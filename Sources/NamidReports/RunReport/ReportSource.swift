import Foundation
import NamidEvaluation
import NamidFiles
import NamidReproduction
import NamidTraining

/// One source of a report on disk.
package enum ReportSource: Sendable {
  /// A folder of `namid reproduce` with its record.
  case reproduction(URL, ReproductionRecord)
  /// A training run with its evaluations.
  case run(URL, [StoredEvaluation])
  /// A file that `namid evaluate` or `namid transfer` has written with `--json`.
  case evaluation(StoredEvaluation)

  /// The folder of a reproduction or a run; nil for a file.
  package var folder: URL? {
    switch self {
    case .reproduction(let folder, _), .run(let folder, _): folder
    case .evaluation: nil
    }
  }

  /// The size in bytes of the longest file of figures that is read.
  static let maximumBytes = 1 << 30

  /// Reads a path as the kind of source that it holds.
  ///
  /// - Parameters:
  ///   - url: A folder or a file.
  ///   - say: A closure called with a line about each file left out.
  /// - Throws: `ReportSourceError` where no report can be made of the path.
  package init(_ url: URL, say: (String) -> Void) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw ReportSourceError.missing(url.relativePath)
    }
    guard isFolder.boolValue else {
      self = try Self.file(url)
      return
    }
    let results = url.appending(path: "results.json")
    if FileManager.default.fileExists(atPath: results.path) {
      self = try Self.file(results)
      return
    }
    guard FileManager.default.fileExists(atPath: url.appending(path: Self.marker).path) else {
      throw ReportSourceError.foreign(
        url.relativePath, reason: "it has neither results.json nor \(Self.marker)")
    }
    let evaluations = RunEvaluations(of: url)
    for problem in evaluations.problems { say("left out: \(problem)") }
    self = .run(url, evaluations.stored)
  }

  private static let marker = RunFolder.configurationFile

  private static func file(_ url: URL) throws -> ReportSource {
    let tree: JSONValue
    do {
      tree = try JSONValue(parsing: readFile(at: url, limit: maximumBytes))
    } catch {
      throw ReportSourceError.foreign(url.relativePath, reason: "\(error)")
    }
    if let format = tree["format"]?.stringValue {
      guard format == ReproductionRecord.currentFormat else {
        throw ReportSourceError.foreign(
          url.relativePath,
          reason: "its format is \(format), and \(ReproductionRecord.currentFormat) is known")
      }
      do {
        return .reproduction(url.deletingLastPathComponent(), try tree.decode())
      } catch {
        throw ReportSourceError.foreign(url.relativePath, reason: "\(error)")
      }
    }
    do {
      return .evaluation(try StoredEvaluation(url, tree))
    } catch {
      throw ReportSourceError.foreign(
        url.relativePath, reason: "it is no sound evaluation of one network (\(error))")
    }
  }
}

/// An error for a path that no report can be made of.
package enum ReportSourceError: Error, CustomStringConvertible, Sendable {
  /// The path does not exist.
  case missing(String)
  /// The path holds something else.
  case foreign(String, reason: String)

  /// The error in words, with advice.
  package var description: String {
    switch self {
    case .missing(let path): "\(path) does not exist"
    case .foreign(let path, let reason):
      "no report can be made of \(path): \(reason). Name a folder of `namid reproduce`, the folder of a "
        + "training run, or the JSON of `namid evaluate`"
    }
  }
}
