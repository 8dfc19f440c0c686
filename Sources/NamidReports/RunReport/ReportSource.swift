import Foundation
import NamidEvaluation
import NamidFiles
import NamidReproduction
import NamidTraining

/// One source of a report on disk.
package enum ReportSource: Sendable {
  /// The folder of a reproduction with its record.
  case reproduction(URL, ReproductionRecord)
  /// A training run with its evaluations.
  case run(URL, [StoredEvaluation])
  /// A file with the figures of an evaluation or a transfer.
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

  /// Reads a folder or a file as the kind of source that it holds, and says which files in it are left out; throws
  /// `ReportSourceError` where no report can be made of it.
  package init(
    _ url: URL, catalog: Catalog = .standard, say: (String) -> Void
  ) throws {
    guard let kind = FileKind(of: url) else { throw ReportSourceError.missing(url.relativePath) }
    let results = url.appending(path: "results.json")
    if kind != .folder || FileKind(of: results) != nil {
      self = try Self.file(kind == .folder ? results : url)
      return
    }
    let marker = RunFolder.configurationFile
    guard FileKind(of: url.appending(path: marker)) != nil else {
      throw ReportSourceError.foreign(
        url.relativePath, reason: "it has neither results.json nor \(marker)")
    }
    let evaluations = RunEvaluations(of: url, catalog: catalog)
    for problem in evaluations.problems { say("left out: \(problem)") }
    self = .run(url, evaluations.stored)
  }

  private static func file(_ url: URL) throws -> ReportSource {
    func foreign(_ reason: String) -> ReportSourceError {
      .foreign(url.relativePath, reason: reason)
    }
    let tree: JSONValue
    do {
      tree = try JSONValue(parsing: readFile(at: url, limit: maximumBytes))
      if let format = tree["format"]?.stringValue {
        guard format == ReproductionRecord.currentFormat else {
          throw foreign("its format is \(format), and \(ReproductionRecord.currentFormat) is known")
        }
        return .reproduction(url.deletingLastPathComponent(), try tree.decode())
      }
    } catch let error as ReportSourceError {
      throw error
    } catch {
      throw foreign("\(error)")
    }
    do {
      return .evaluation(try StoredEvaluation(url, tree))
    } catch {
      throw foreign("it is no sound evaluation of one network (\(error))")
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
      "no report can be made of \(path): \(reason). Name the folder of a reproduction, the folder of a "
        + "training run, or the JSON of an evaluation"
    }
  }
}
