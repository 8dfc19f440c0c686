import Foundation
import NamidDefenses
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidTraining

/// A run that was killed and resumed ends bit for bit where one that was never stopped does.
@Suite(.serialized) struct ResumeTests {
  /// Augmentation, momentum, one-cycle, bfloat16 and averaged weights all have state or random numbers.
  @Test func standardTraining() async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let whole = try TinyRun("whole", in: root)
    let killed = try TinyRun("killed", in: root)
    try whole.train()
    await #expect(processExitsWith: .signal(SIGKILL)) { [killed = killed as TinyRun] in
      try killed.train(report: die(inEpoch: 2, afterBatch: 10))
    }
    #expect(try killed.checkpoints.state(.latest).epoch == 1)
    try killed.train(resume: true)
    try expectSameRun(killed.folder, whole.folder)
    #expect(try metrics(of: killed.folder).map { $0["epoch"] } == [1, 2, 3])
    let files = try sortedNames(in: whole.checkpoints.folder(.latest))
    #expect(
      files == [
        "average.safetensors", "model.safetensors", "optimizer.safetensors", "state.json",
      ])
    // Equality would mean little had the weights not moved after the resume.
    let weights = try [2, 3].map { epoch in
      let file = whole.checkpoints.folder(.epoch(epoch)).appending(path: RunFolder.weightsFile)
      return try Data(contentsOf: file)
    }
    #expect(weights[0] != weights[1])
  }

  @Test func adam() async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var runs = try [TinyRun("whole", in: root), TinyRun("killed", in: root)]
    for i in runs.indices {
      runs[i].configuration.defense = .natural
      runs[i].configuration.optimizer.kind = .adamw
      runs[i].configuration.optimizer.learningRate = 0.01
      runs[i].configuration.schedule.kind = .cosine
      runs[i].configuration.training.precision = .float32
    }
    try runs[0].train()
    await #expect(processExitsWith: .signal(SIGKILL)) { [killed = runs[1] as TinyRun] in
      try killed.train(report: die(inEpoch: 2, afterBatch: 10))
    }
    try runs[1].train(resume: true)
    try expectSameRun(runs[1].folder, runs[0].folder)
  }

  @Test func estimators() async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let whole = try TinyEstimatorRun("whole", in: root)
    let killed = try TinyEstimatorRun("killed", in: root)
    try whole.train()
    await #expect(processExitsWith: .signal(SIGKILL)) { [killed = killed as TinyEstimatorRun] in
      try killed.train(report: die(inEpoch: 2, afterBatch: 5))
    }
    #expect(try killed.checkpoints.state(.latest).epoch == 1)
    try killed.train(resume: true)
    try expectSameRun(killed.folder, whole.folder)
    let lines = try metrics(of: whole.folder)
    #expect(lines.count == 3)
    // Had no sample ever been selected, the estimators would be as they were.
    #expect(lines.contains { $0["train/loss_n"] != nil && $0["train/loss_a"] != nil })
  }

  @Test func namidWithItsEstimators() async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let estimators = try TinyEstimatorRun(in: root)
    try estimators.train()
    var runs = try [TinyRun("whole", in: root), TinyRun("killed", in: root)]
    for i in runs.indices {
      runs[i].configuration.defense = .namid
      runs[i].configuration.estimators = estimators.folder.path
      runs[i].configuration.namid.warmUpEpochs = 1
      // A quick learner and a large ball, so that some samples are right and then wrong.
      runs[i].configuration.optimizer.kind = .adam
      runs[i].configuration.optimizer.learningRate = 0.01
      runs[i].configuration.threat.epsilon = 0.3
      runs[i].configuration.namid.statistics = .reference
    }
    try runs[0].train()
    await #expect(processExitsWith: .signal(SIGKILL)) { [killed = runs[1] as TinyRun] in
      try killed.train(report: die(inEpoch: 2, afterBatch: 10))
    }
    try runs[1].train(resume: true)
    try expectSameRun(runs[1].folder, runs[0].folder)
    let lines = try metrics(of: runs[0].folder)
    #expect(lines.map { $0["train/ce"] != nil } == [true, false, false])
    #expect(lines.map { $0["train/ce_adv"] != nil } == [false, true, true])
    #expect(lines.contains { $0["train/cos_n"] != nil })
  }

  /// Perturbed weights, smoothed labels and two groups of settings at once.
  @Test func tradesWithModifiers() async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var runs = try [TinyRun("whole", in: root), TinyRun("killed", in: root)]
    for i in runs.indices {
      runs[i].configuration.defense = .trades
      runs[i].configuration.settings[TRADES.Settings.self].beta = 3
      runs[i].configuration.weightPerturbation = .init()
      runs[i].configuration.weightPerturbation?.warmUpEpochs = 1
      runs[i].configuration.training.labelSmoothing = 0.1
      runs[i].configuration.training.patience = 3
    }
    try runs[0].train()
    await #expect(processExitsWith: .signal(SIGKILL)) { [killed = runs[1] as TinyRun] in
      try killed.train(report: die(inEpoch: 2, afterBatch: 10))
    }
    try runs[1].train(resume: true)
    try expectSameRun(runs[1].folder, runs[0].folder)
  }

  /// The estimator that learns along has weights, statistics and an optimizer to restore.
  @Test func jointWMIM() async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var runs = try [TinyRun("whole", in: root), TinyRun("killed", in: root)]
    for i in runs.indices {
      runs[i].configuration.defense = .wmim
      runs[i].configuration.settings[WMIM.Settings.self].mode = .joint
      runs[i].configuration.settings[WMIM.Settings.self].units = 8
      runs[i].configuration.settings[WMIM.Settings.self].learningRate = 0.01
    }
    try runs[0].train()
    await #expect(processExitsWith: .signal(SIGKILL)) { [killed = runs[1] as TinyRun] in
      try killed.train(report: die(inEpoch: 2, afterBatch: 10))
    }
    try runs[1].train(resume: true)
    try expectSameRun(runs[1].folder, runs[0].folder)
  }

  @Test func aFinishedRunIsLeftAlone() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try TinyRun(in: root, defense: .natural)
    try run.train()
    let before = try snapshot(of: run.checkpoints.url)
    try run.train(resume: true)
    #expect(try snapshot(of: run.checkpoints.url) == before)
    #expect(try metrics(of: run.folder).count == 3)
  }

  /// What was killed before its first checkpoint starts over, and its lines are not kept twice.
  @Test func aRunWithoutACheckpointStartsOver() async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try TinyRun(in: root, defense: .natural)
    await #expect(processExitsWith: .signal(SIGKILL)) { [run = run as TinyRun] in
      try run.train(report: die(inEpoch: 1, afterBatch: 10))
    }
    try run.train(resume: true)
    #expect(try metrics(of: run.folder).map { $0["epoch"] } == [1, 2, 3])
    // TensorBoard is told to drop what was noted before: SessionLog.START, as protocol buffers write it.
    let last = try #require(try sortedNames(in: run.folder).last { $0.hasPrefix("events.") })
    let events = try Data(contentsOf: run.folder.appending(path: last))
    #expect(events.firstRange(of: [0x3A, 2, 8, 1]) != nil)
  }
}
