import NamidData
import NamidDefenses
import NamidEvaluation
import NamidInformation
import NamidLaboratory
import NamidReports
import NamidSettings
import NamidTraining

/// The flags with which a library's advice is carried out: libraries say what to do and know no flags.
struct FlagHint: Error, CustomStringConvertible {
  private let error: any Error
  private let flags: String

  /// Adds the flags that help to an error; returns the error itself where none does.
  static func adding(to error: any Error) -> any Error {
    guard let flags = flags(for: error) else { return error }
    return FlagHint(error: error, flags: flags)
  }

  /// The library's words, then the flags.
  var description: String { "\(error) (\(flags))" }

  private static func flags(for error: any Error) -> String? {
    switch error {
    case let error as EvaluationError: flags(for: error)
    case CheckpointError.runExists: "--resume, --out"
    case RunError.noTarget: "--target"
    case DefenseError.noEstimators(let kind): "\(training(kind)), --estimators"
    case ConfigurationError.refused(let error, _) where error.key == "estimators":
      EstimatorKind.allCases.first { "\(error)".contains(" \($0.rawValue) MI") }.map(training)
    case DatasetError.missing(let title, _, _):
      Parts.catalog.datasets.first { $0.title == title }.map {
        "namid data fetch \($0.name), --data-dir"
      }
    case DatasetError.badCount: "--limit, --set data.validation=N, --set data.limit=N"
    case LaboratoryError.otherEstimators(let path, let name): "--out, --\(name) \(path)"
    case ReportSourceError.foreign: "namid reproduce, namid train, namid evaluate --json"
    default: nil
    }
  }

  /// The command that trains estimators of a kind.
  private static func training(_ kind: EstimatorKind) -> String {
    "namid train-estimators" + (kind == .pair ? "" : " --kind \(kind.rawValue)")
  }

  private static func flags(for error: EvaluationError) -> String? {
    switch error {
    case .otherEvaluation, .earlierFormat, .unreadableState: "--state, --fresh"
    case .foreignFiles, .stateInUse, .stateNotWritable: "--state"
    case .differentMeasurements: "--dataset, --norm, --epsilon"
    case .noImages, .radius, .weightsNotFinite, .logitsNotFinite: nil
    }
  }
}
