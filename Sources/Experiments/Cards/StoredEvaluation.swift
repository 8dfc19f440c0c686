import Evaluation
import Foundation
import Records

/// An evaluation with its file.
public struct StoredEvaluation: Sendable {
  /// The file.
  public var url: URL
  /// What was measured.
  public var report: EvaluationReport

  /// An evaluation.
  init(_ url: URL, _ report: EvaluationReport) {
    self.url = url
    self.report = report
  }

  /// An evaluation as it stands in a file.
  ///
  /// - Throws: `EvaluationFileProblem` where figures contradict each other, and what decoding throws.
  init(_ url: URL, _ tree: JSONValue) throws {
    self.init(url, try tree.decode(EvaluationReport.self))
    if let problem = try ReportCheck(report).problem { throw EvaluationFileProblem(problem) }
  }
}

/// Why a file is no evaluation that can be shown.
struct EvaluationFileProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
