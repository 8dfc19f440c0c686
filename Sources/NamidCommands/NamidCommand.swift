import ArgumentParser
import Foundation
import NamidData
import NamidDefenses
import NamidEvaluation
import NamidInformation
import NamidLaboratory
import NamidReports
import NamidSettings
import NamidTraining

/// The command line.
public struct NamidCommand: ParsableCommand {
  /// The name, the abstract and the verbs.
  public static let configuration = CommandConfiguration(
    commandName: "namid",
    abstract: "Train and measure adversarially robust image classifiers.",
    discussion: """
      Start with `namid quickstart`: it trains three small networks on \
      Fashion-MNIST, attacks them, and writes a report. `namid doctor` says what \
      this machine has and what is missing.
      """,
    version: "0.1.0",
    subcommands: [
      QuickstartCommand.self, Train.self, TrainEstimators.self, Import.self, Export.self,
      Predict.self, Evaluate.self, Transfer.self, AttackCommand.self, AttacksCommand.self,
      MutualInformationCommand.self,
      Reproduce.self,
      ReportCommand.self, DataCommand.self, Bench.self, Doctor.self, SelfTestCommand.self,
      Step.self,
    ])

  /// The command line as it stands before it is parsed.
  public init() {}

  /// A limit on the size of files then fails with a message, as a full disk does, and does not end the process.
  ///
  /// - Parameter catalog: The parts that verbs know by name.
  public static func main(catalog: Catalog = .standard) {
    signal(SIGXFSZ, SIG_IGN)
    Tether.attach()
    Restart.note()
    OutOfMemory.watch()
    Parts.$catalog.withValue(catalog) {
      do {
        var command = try parseAsRoot()
        try command.run()
      } catch {
        exit(withError: FlagHint.adding(to: error))
      }
    }
  }
}

/// The parts that verbs know by name; verbs are made by the parser, which hands them nothing.
enum Parts {
  @TaskLocal static var catalog = Catalog.standard
}

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
