import ArgumentParser

/// `namid mi`.
struct MutualInformationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mi",
    abstract: "Estimate mutual information, of samples and of trained networks; Theorem 1.",
    subcommands: [
      EstimateInformation.self, OfRun.self, ProofOfConcept.self, Compare.self, TheoremCommand.self,
    ])
}
