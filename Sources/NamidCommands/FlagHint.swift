import NamidData
import NamidDefenses
import NamidEvaluation
import NamidLaboratory
import NamidTraining

/// The flags with which a library's advice is carried out: libraries say what to do and know no flags.
struct FlagHint: Error, CustomStringConvertible {
  private let error: any Error
  private let flags: String

  /// The same error with the flags that help, or the error itself where none does.
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
    case DefenseError.noEstimators: "--estimators"
    case DatasetError.badCount: "--limit, --set data.validation=N, --set data.limit=N"
    case LaboratoryError.otherEstimators(let path, let name): "--out, --\(name) \(path)"
    default: nil
    }
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
