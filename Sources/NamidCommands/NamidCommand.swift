import ArgumentParser
import Foundation
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
      QuickstartCommand.self, Train.self, TrainEstimators.self, Import.self, Evaluate.self,
      Transfer.self, AttackCommand.self, AttacksCommand.self, MutualInformationCommand.self,
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
