import ArgumentParser
import Foundation
import NamidFiles
import NamidSettings
import NamidTestSupport
import NamidTraining
import Testing

@testable import NamidCommands
@testable import NamidReproduction

/// The command lines that people are shown for steps.
@Suite struct StepCommandTests {
  /// The plan of a recipe that comes with the tool, without its data.
  private func steps(_ name: String, _ preset: String) throws -> [ExperimentStep] {
    let recipes = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Recipes")
    let file = try RecipeFile(RecipeCatalog(folder: recipes).file(of: name), preset: preset)
    let facts = DataFacts(
      title: "", identity: "", trainCount: 50_000, testCount: 10_000, classCount: 10,
      shape: [3, 32, 32])
    let names = try PlanBuilder.datasets(of: file, in: .standard)
    var builder = PlanBuilder(
      file, facts: Dictionary(uniqueKeysWithValues: names.map { ($0, facts) }), catalog: .standard
    ) { try $0.command(leavingIn: $1, network: $2) }
    return try builder.build().steps
  }

  /// Every command of every step that comes with the tool asks for the settings of the step.
  @Test(
    arguments: ["table1", "table2", "figure2", "figure4", "figure5"], ["smoke", "cpu", "paper"])
  func commandsAskForWhatStepsDo(_ name: String, _ preset: String) throws {
    try withTemporaryFolder { folder in
      for step in try steps(name, preset) {
        #expect(step.command.hasPrefix("namid "))
        switch step.request {
        case .train(var configuration):
          configuration.estimators = configuration.estimators.map { folder.path + $0 }
          let words = try StepRequest.train(configuration).arguments(leavingIn: "x")
          let command = try #require(try NamidCommand.parseAsRoot(words) as? Train)
          #expect(try command.resolved(in: nil, seed: command.options.seed) == configuration)
          // For the estimators that read this network.
          let run = folder.appending(path: "steps/\(step.id)/run")
          try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
          try Data(ConfigurationLoader.render(configuration).utf8)
            .write(to: run.appending(path: "config.yaml"))
        case .estimators(var configuration):
          let run = folder.appending(path: try #require(configuration.target))
          configuration.target = run.path
          let words = try StepRequest.estimators(configuration).arguments(
            leavingIn: "x", network: SavedNetwork.configuration(of: run))
          let command = try #require(try NamidCommand.parseAsRoot(words) as? TrainEstimators)
          #expect(try command.resolved(seed: command.options.seed) == configuration)
        case .measure(let request):
          let words = try step.request.arguments(leavingIn: "x")
          let parsed = try NamidCommand.parseAsRoot(words)
          let attack = (parsed as? Evaluate)?.attack ?? (parsed as? Transfer)?.attack
          let checkpoint = (parsed as? Evaluate)?.checkpoint ?? (parsed as? Transfer)?.checkpoint
          let options = (parsed as? Evaluate)?.options ?? (parsed as? Transfer)?.options
          #expect(attack == request.evaluation.attacks && checkpoint == request.checkpoint)
          #expect(options?.limit == request.evaluation.limit && options?.seed == 0)
          #expect((parsed as? Transfer)?.surrogate == request.surrogate)
        case .pairings(let request):
          let words = try step.request.arguments(leavingIn: "x")
          let command = try #require(try NamidCommand.parseAsRoot(words) as? ProofOfConcept)
          #expect(command.attack == request.subject.evaluation.attacks)
          #expect(command.estimators == request.estimators)
          #expect(command.information.goal == request.subject.evaluation.goal)
          #expect(command.training.effort == request.effort)
        case .comparison(let request):
          let words = try step.request.arguments(leavingIn: "x")
          let command = try #require(try NamidCommand.parseAsRoot(words) as? Compare)
          #expect(command.eq4 == request.eq4 && command.eq5 == request.eq5)
          #expect(try command.placebos() == request.controls)
        }
      }
    }
  }
}
