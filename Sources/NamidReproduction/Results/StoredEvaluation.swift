import Foundation
import NamidEvaluation
import NamidFiles

/// An evaluation with its file.
package struct StoredEvaluation: Sendable {
  /// The file.
  package var url: URL
  /// The report of the evaluation.
  package var report: EvaluationReport

  /// An evaluation.
  package init(_ url: URL, _ report: EvaluationReport) {
    self.url = url
    self.report = report
  }

  /// An evaluation as it stands in a file.
  ///
  /// - Throws: `EvaluationFileProblem` where figures contradict each other, and what decoding throws.
  package init(_ url: URL, _ tree: JSONValue) throws {
    self.init(url, try tree.decode(EvaluationReport.self))
    if let problem = try ReportCheck(report).problem { throw EvaluationFileProblem(problem) }
  }
}

/// The reason why a file is not an evaluation that can be shown.
package struct EvaluationFileProblem: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}
