import ArgumentParser

/// `namid mi`.
struct MutualInformationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mi", abstract: "Estimate mutual information, and look at Theorem 1.",
    subcommands: [EstimateInformation.self, TheoremCommand.self])
}
