import Foundation
import NamidDefenses
import NamidFiles
import NamidSettings
import NamidTestSupport
import Testing

@testable import NamidTraining

/// Validation and checkpoints every so many epochs.
@Suite(.serialized) struct IntervalTests {
  private func validated(_ run: TinyRun) throws -> [Int] {
    try metrics(of: run.folder).compactMap {
      $0["validation/clean_accuracy"] == nil ? nil : $0["epoch"]?.intValue
    }
  }

  private func withRun(
    _ names: [String] = ["run"], epochs: Int = 5, _ body: ([TinyRun]) async throws -> Void
  ) async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    try await body(
      names.map { name in
        var run = try TinyRun(name, in: root, defense: .natural)
        run.configuration.training.epochs = epochs
        run.configuration.training.keep = 10
        return run
      })
  }

  /// Killed between two checkpoints, a run goes back to the earlier one and ends with the same bits and lines.
  @Test func aKilledRunGoesBackToItsLastCheckpoint() async throws {
    try await withRun(["whole", "killed"]) { runs in
      var runs = runs
      for place in runs.indices {
        runs[place].configuration.training.checkpointEvery = 2
        runs[place].configuration.data.validation = 0
      }
      try runs[0].train()
      #expect(
        try sortedNames(in: runs[0].checkpoints.url)
          == ["epoch-0002", "epoch-0004", "epoch-0005", "latest"])
      await #expect(processExitsWith: .signal(SIGKILL)) { [killed = runs[1] as TinyRun] in
        try killed.train(report: die(inEpoch: 4, afterBatch: 10))
      }
      #expect(try runs[1].checkpoints.state(.latest).epoch == 2)
      #expect(try metrics(of: runs[1].folder).count == 3)
      try runs[1].train(resume: true)
      try expectSameRun(runs[1].folder, runs[0].folder)
    }
  }

  @Test func theLastEpochIsValidatedToo() async throws {
    try await withRun { runs in
      var run = runs[0]
      run.configuration.training.validateEvery = 2
      try run.train()
      #expect(try validated(run) == [2, 4, 5])
      #expect(try metrics(of: run.folder).count == 5)
      let best = try #require(try run.checkpoints.state(.best).best)
      #expect([2, 4, 5].contains(best.epoch))
    }
  }

  /// Patience counts epochs, and only a validation ends a run; what it chose and where it stopped is saved.
  @Test func trainingStopsAtAValidation() async throws {
    try await withRun(epochs: 9) { runs in
      var run = runs[0]
      run.configuration.training.validateEvery = 2
      run.configuration.training.checkpointEvery = 100
      run.configuration.training.patience = 1
      run.configuration.training.averageDecay = nil
      // Nothing is learnt, so that the first validation stays the best.
      run.configuration.optimizer.learningRate = 1e-30
      try run.train()
      #expect(try validated(run) == [2, 4])
      #expect(
        try sortedNames(in: run.checkpoints.url) == ["best", "epoch-0002", "epoch-0004", "latest"])
      let before = try snapshot(of: run.folder)
      try run.train(resume: true)
      #expect(try snapshot(of: run.folder) == before)
    }
  }

  @Test func keepCountsCheckpoints() async throws {
    try await withRun(epochs: 6) { runs in
      var run = runs[0]
      run.configuration.training.checkpointEvery = 2
      run.configuration.training.keep = 2
      run.configuration.data.validation = 0
      try run.train()
      #expect(try sortedNames(in: run.checkpoints.url) == ["epoch-0004", "epoch-0006", "latest"])
    }
  }

  /// The interval of checkpoints decides nothing; that of validation decides which epoch is the best.
  @Test func aResumeMayWriteOtherCheckpoints() throws {
    var configuration = RunConfiguration()
    let usual = try configuration.resumptionHash()
    configuration.training.checkpointEvery = 7
    #expect(try configuration.resumptionHash() == usual)
    configuration.training.validateEvery = 2
    #expect(try configuration.resumptionHash() != usual)
  }

  /// Settings that are new leave the digest of a run that does not use them as it was before them.
  @Test func earlierRunsCanGoOn() throws {
    var configuration = RunConfiguration()
    configuration.defense = .namid
    configuration.namid = NAMID.Settings()
    configuration.estimators = "estimators"
    configuration.training.keep = 0
    var earlier = try JSONValue(encoding: configuration)
    for (group, key) in [
      ("training", "validateEvery"), ("training", "checkpointEvery"), ("training", "graphs"),
      ("namid", "scorePrecision"), ("namid", "mean"), ("namid", "balance"),
      ("namid", "balanceRatio"), ("namid", "balanceOn"), ("optimizer", "clipNorm"),
      ("schedule", "rampEpochs"),
    ] {
      let value = try #require(earlier[group]?[key])
      earlier = earlier.without(group, key, where: value)
      guard case .object(let members)? = earlier[group] else { continue }
      #expect(!members.keys.contains(key))
    }
    guard case .object(var members) = earlier else { return }
    #expect(members.keys.contains("initial"))
    members["initial"] = nil
    earlier = .object(members)
    #expect(try configuration.resumptionHash() == specificationHash(earlier))
    configuration.namid.balance = .cap
    #expect(try configuration.resumptionHash() != specificationHash(earlier))
    configuration.namid.balance = .none
    configuration.namid.scorePrecision = .tf32
    #expect(try configuration.resumptionHash() != specificationHash(earlier))
  }
}
