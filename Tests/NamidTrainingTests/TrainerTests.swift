import Foundation
import NamidAttacks
import NamidFiles
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidTraining

@Suite(.serialized) struct TrainerTests {
  @Test func theSeedDecidesEveryBit() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var weights: [Data] = []
    for (name, seed) in [("first", 3), ("same", 3), ("other", 4)] {
      var run = try TinyRun(name, in: root)
      run.configuration.seed = seed
      run.configuration.training.epochs = 1
      try run.train()
      let file = run.checkpoints.folder(.latest).appending(path: RunFolder.weightsFile)
      weights.append(try Data(contentsOf: file))
    }
    #expect(weights[0] == weights[1])
    #expect(weights[0] != weights[2])
  }

  /// There are no test images here at all, and validation images are not trained on.
  @Test func trainingReadsNothingButTheTrainingImages() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try TinyRun(in: root)
    let images = root.appending(path: "images")
    #expect(try sortedNames(in: images) == ["train"])
    try run.train()
    let data = try TrainingData(
      run.configuration.data, directory: root, seed: 0, catalog: .standard)
    let validation = try #require(data.validation)
    #expect(data.training.count == 160 && validation.count == 32)
    let own = Set((0..<data.training.count).map { Array(data.training.image(at: $0)) })
    #expect(validation.labels.indices.allSatisfy { !own.contains(Array(validation.image(at: $0))) })
  }

  @Test func withoutValidationThereIsNoBest() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root, defense: .natural)
    run.configuration.data.validation = 0
    run.configuration.training.epochs = 1
    try run.train()
    #expect(try sortedNames(in: run.checkpoints.url) == ["epoch-0001", "latest"])
    let text = message { _ = try SavedNetwork(run: run.folder, .best) }
    #expect(text?.contains("best; there are: epoch-0001, latest") == true, "\(text ?? "")")
  }

  @Test func theBestEpochIsTheFirstWithTheHighestRobustValidation() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root)
    run.configuration.training.epochs = 4
    run.configuration.training.keep = 1
    try run.train()
    let values = try metrics(of: run.folder).map { try #require($0["validation/pgd_2_accuracy"]) }
      .map { try #require($0.doubleValue) }
    let highest = try #require(values.max())
    let best = try #require(values.firstIndex(of: highest)) + 1
    let state = try run.checkpoints.state(.best)
    #expect(state.epoch == best)
    #expect(state.best == CheckpointState.Best(epoch: best, value: highest))
    let folders = Set(["epoch-0004", String(format: "epoch-%04d", best), "best", "latest"])
    #expect(try Set(sortedNames(in: run.checkpoints.url)) == folders)
  }

  /// The average starts at the initial weights and follows decay · average + (1 − decay) · weights.
  @Test func theAverageIsTheOneComputedByHand() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root, defense: .natural)
    run.configuration.training.batchSize = 160
    run.configuration.training.keep = 3
    try run.train()
    let specification = try RunFiles.specification(of: NetworkSpecification.self, in: run.folder)
    let fresh = try Network(specification, stream: RandomStream(seed: 0).keyed("weights"))
    var expected = Dictionary(
      uniqueKeysWithValues: fresh.store.state.map { ($0.name, $0.tensor.array(of: Float.self)) })
    for epoch in 1...3 {
      let read = { try run.checkpoints.tensors(.epoch(epoch), file: $0) }
      let (weights, average) = try (read(RunFolder.weightsFile), read(RunFolder.averageFile))
      #expect(Set(average.keys) == Set(expected.keys))
      for (name, tensor) in weights {
        let values = tensor.array(of: Float.self)
        expected[name] = zip(expected[name] ?? [], values).map { 0.9 * $0 + 0.1 * $1 }
        let found = average[name]?.array(of: Float.self) ?? []
        let worst = zip(found, expected[name] ?? []).map { abs($0 - $1) }.max() ?? .infinity
        #expect(worst < 1e-6, "\(name), epoch \(epoch)")
      }
    }
    let averaged = try SavedNetwork(run: run.folder).network
    let plain = try SavedNetwork(run: run.folder, averaged: false).network
    #expect(averaged.fingerprint != plain.fingerprint)
  }

  @Test func divergenceStopsTheRunAndKeepsEarlierCheckpoints() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root)
    run.configuration.schedule.kind = .multiStep
    run.configuration.schedule.milestones = [1]
    run.configuration.schedule.gamma = 2e7  // 0.05 in the first epoch, 1e6 in the second
    var first: [String: Data]?
    let error = #expect(throws: TrainingError.self) {
      try run.train { event in
        if case .epoch = event { first = try? snapshot(of: run.folder) }
      }
    }
    guard case .diverged(let epoch, _, let terms) = error else {
      Issue.record("\(String(describing: error)) instead of divergence")
      return
    }
    #expect(epoch == 2)
    #expect(terms.contains("ce_adv"))
    #expect(
      "\(TrainingError.diverged(epoch: 2, batch: 1, terms: ""))".contains("lower learning rate"))
    #expect(try snapshot(of: run.folder) == first)
    #expect(try SavedNetwork(run: run.folder).checkpoint.epoch == 1)
  }

  /// The loss of an epoch's last step is finite and its weights are not: they must not become a checkpoint.
  @Test func divergenceInTheLastStepOfAnEpochIsNoticedInIt() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root, defense: .natural)
    // One step per epoch; the second one leaps beyond float32.
    run.configuration.training.batchSize = 160
    run.configuration.schedule.kind = .multiStep
    run.configuration.schedule.milestones = [1]
    run.configuration.schedule.gamma = 1e60
    run.configuration.training.averageDecay = nil
    let error = #expect(throws: TrainingError.self) { try run.train() }
    guard case .weightsDiverged(let epoch, _) = error else {
      Issue.record("\(String(describing: error)) instead of divergence")
      return
    }
    #expect(epoch == 2 && "\(error.map { "\($0)" } ?? "")".contains("lower learning rate"))
    #expect(try sortedNames(in: run.checkpoints.url) == ["best", "epoch-0001", "latest"])
    #expect(try metrics(of: run.folder).count == 1)
  }

  @Test func tooFewImagesForABatchAreRefusedBeforeAnythingIsWritten() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root)
    run.configuration.training.batchSize = 1000
    run.configuration.training.dropLast = true
    let text = message { try run.train() }
    #expect(text == "160 training images make no batch of 1000: lower the batch size")
    #expect(try sortedNames(in: root) == ["images"])
  }
}
