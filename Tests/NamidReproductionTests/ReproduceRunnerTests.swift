import Foundation
import NamidFiles
import NamidTestSupport
import NamidTraining
import Testing

@testable import NamidReproduction

@Suite struct ReproduceRunnerTests {
  /// Five steps: b and c need a, d needs b and c, e stands alone.
  private let plan = Result {
    try ExperimentPlan([
      ExperimentStep(id: "a"), ExperimentStep(id: "b", needs: ["a"]),
      ExperimentStep(id: "c", needs: ["a"]), ExperimentStep(id: "d", needs: ["b", "c"]),
      ExperimentStep(id: "e"),
    ])
  }

  /// Launches that leave figures, except where told otherwise.
  private final class Launcher {
    var launched: [String] = []
    var ends: [String: StepEnd.Way] = [:]
    var leavesNothing: Set<String> = []
    private let store: StepStore

    init(_ store: StepStore) { self.store = store }

    func launch(_ step: ExperimentStep, _ log: URL) throws -> (() -> StepEnd?) {
      launched.append(step.id)
      try Data("one\ntwo\nError: three\n".utf8).write(to: log)
      let way = ends[step.id] ?? .exited(0)
      if way == .exited(0), !leavesNothing.contains(step.id) {
        try Data("{\"of\": \"\(step.id)\"}".utf8).write(to: store.product(of: step))
      }
      let end = StepEnd(way, peakMemory: 5)
      return { end }
    }
  }

  private func states(_ results: [String: StepResult]) -> [String: String] {
    results.mapValues { result in
      switch result {
      case .finished: "finished"
      case .failed(let reason, _): "failed: \(reason)"
      case .notRun(let reason): reason
      }
    }
  }

  @Test func aFailureBlocksWhatNeedsItAndNothingElse() throws {
    try withTemporaryFolder { folder in
      let plan = try plan.get()
      let store = StepStore(folder)
      let launcher = Launcher(store)
      launcher.ends["b"] = .exited(3)
      var told: [String] = []
      let (results, isInterrupted) = PlanRunner(plan, store: store).run(
        launch: launcher.launch,
        tell: { event in
          if case .begins(let step, let number, let total) = event {
            told.append("\(step.id) \(number)/\(total)")
          }
        })
      #expect(!isInterrupted)
      #expect(launcher.launched == ["a", "b", "c", "e"])
      #expect(told == ["a 1/5", "b 2/5", "c 3/5", "e 5/5"])
      #expect(
        states(results) == [
          "a": "finished", "b": "failed: exit status 3", "c": "finished",
          "d": "not run: needs \"b\"", "e": "finished",
        ])
      guard case .failed(_, let lines) = results["b"] else { return }
      #expect(lines == ["one", "two", "Error: three"])

      // Again: only what is missing.
      launcher.launched = []
      launcher.ends = [:]
      let again = PlanRunner(plan, store: store).run(launch: launcher.launch)
      #expect(launcher.launched == ["b", "d"])
      #expect(again.results.values.allSatisfy { $0.isFinished })
      launcher.launched = []
      #expect(PlanRunner(plan, store: store).remaining.isEmpty)
      _ = PlanRunner(plan, store: store).run(launch: launcher.launch)
      #expect(launcher.launched.isEmpty)
    }
  }

  /// With two at a time, a step begins as soon as what it needs is finished, and never before.
  @Test func stepsShareTheirTimeAndKeepTheirOrder() throws {
    try withTemporaryFolder { folder in
      let store = StepStore(folder)
      var atWork: [String] = []
      var most = 0
      var events: [String] = []
      let (results, isInterrupted) = PlanRunner(try plan.get(), store: store).run(
        jobs: 2,
        launch: { step, _ in
          for need in step.needs { #expect(events.contains("end \(need)"), "\(step.id)") }
          atWork.append(step.id)
          most = max(most, atWork.count)
          // b is slow: c, and then e, are done beside it.
          var polls = step.id == "b" ? 4 : 1
          return {
            polls -= 1
            if polls > 0 { return nil }
            atWork.removeAll { $0 == step.id }
            try? Data("{}".utf8).write(to: store.product(of: step))
            return StepEnd(.exited(0))
          }
        },
        tell: { event in
          switch event {
          case .begins(let step, let number, _): events.append("begin \(step.id) \(number)")
          case .ended(let step, _, _): events.append("end \(step.id)")
          case .reused: break
          }
        })
      #expect(!isInterrupted && results.values.allSatisfy { $0.isFinished } && results.count == 5)
      #expect(most == 2)
      #expect(
        events == [
          "begin a 1", "begin e 2", "end a", "end e", "begin b 3", "begin c 4", "end c", "end b",
          "begin d 5", "end d",
        ], "\(events)")
    }
  }

  /// Both steps at work are ended; nothing new begins.
  @Test func anInterruptionWaitsForAllThatIsAtWork() throws {
    try withTemporaryFolder { folder in
      var launched: [String] = []
      let (results, isInterrupted) = PlanRunner(try plan.get(), store: StepStore(folder)).run(
        jobs: 2,
        launch: { step, _ in
          launched.append(step.id)
          var polls = step.id == "a" ? 1 : 3
          return {
            polls -= 1
            return polls > 0 ? nil : StepEnd(.interrupted)
          }
        })
      #expect(isInterrupted && launched == ["a", "e"])
      #expect(states(results)["e"] == "not finished: interrupted")
      #expect(states(results)["b"] == "not run: interrupted")
    }
  }

  @Test func onlyWholeStepsCountAsFinished() throws {
    try withTemporaryFolder { folder in
      let step = ExperimentStep(id: "a")
      let store = StepStore(folder)
      let launcher = Launcher(store)
      let plan = try ExperimentPlan([step])
      launcher.leavesNothing = ["a"]
      let (results, _) = PlanRunner(plan, store: store).run(launch: launcher.launch)
      #expect(states(results) == ["a": "failed: it left no result.json"])
      launcher.leavesNothing = []
      _ = PlanRunner(plan, store: store).run(launch: launcher.launch)
      let record = try #require(store.finished(step))
      #expect(record.peakMemory == 5 && record.folder == "steps/a")
      #expect(store.figures(of: step) == ["of": "a"])
      // Figures that somebody has changed are no figures of this step.
      try Data("{\"of\": 1}".utf8).write(to: store.product(of: step))
      #expect(store.finished(step) == nil)
      _ = PlanRunner(plan, store: store).run(launch: launcher.launch)
      #expect(store.finished(step) != nil)
      // Nor is a marker without them, or half of one.
      try FileManager.default.removeItem(at: store.product(of: step))
      #expect(store.finished(step) == nil)
      _ = PlanRunner(plan, store: store).run(launch: launcher.launch)
      let marker = store.folder(of: "a").appending(path: "done.json")
      let half = try Data(contentsOf: marker).prefix(40)
      try half.write(to: marker)
      #expect(store.finished(step) == nil)
      #expect(launcher.launched.count == 4)
    }
  }

  /// A copy of a run that was cut short is trained again, and not measured for ever.
  @Test func aCheckpointThatWasCutShortIsNotFinished() throws {
    try withTemporaryFolder { folder in
      let store = StepStore(folder)
      let step = try ExperimentStep(.train(RunConfiguration()), title: "train", label: "a") { $0 }
      let checkpoints = store.product(of: step).appending(path: "checkpoints")
      let epoch = checkpoints.appending(path: "epoch-0001")
      try FileManager.default.createDirectory(at: epoch, withIntermediateDirectories: true)
      let weights = epoch.appending(path: "model.safetensors")
      try Data(count: 100).write(to: weights)
      for name in ["latest", "best"] {
        try FileManager.default.createSymbolicLink(
          atPath: checkpoints.appending(path: name).path, withDestinationPath: "epoch-0001")
      }
      #expect(try store.finish(step, seconds: 1).bytes == 200)
      #expect(store.finished(step) != nil)
      try Data(count: 99).write(to: weights)
      #expect(store.finished(step) == nil)
      try Data(count: 100).write(to: weights)
      #expect(store.finished(step) != nil)
    }
  }

  @Test func anInterruptionEndsEverythingAndLosesNothing() throws {
    try withTemporaryFolder { folder in
      let plan = try plan.get()
      let store = StepStore(folder)
      let launcher = Launcher(store)
      launcher.ends["b"] = .interrupted
      let (results, isInterrupted) = PlanRunner(plan, store: store).run(launch: launcher.launch)
      #expect(isInterrupted && launcher.launched == ["a", "b"])
      #expect(states(results)["b"] == "not finished: interrupted")
      #expect(states(results)["e"] == "not run: interrupted")
      #expect(PlanRunner(plan, store: store).remaining.map(\.id) == ["b", "c", "d", "e"])
    }
  }

  @Test func endsAndErrorsAreExplained() throws {
    try withTemporaryFolder { folder in
      let store = StepStore(folder)
      let plan = try ExperimentPlan([ExperimentStep(id: "a")])
      let launcher = Launcher(store)
      launcher.ends["a"] = .signal(9)
      var results = PlanRunner(plan, store: store).run(launch: launcher.launch).results
      #expect(states(results)["a"] == "failed: ended by signal 9 (out of memory?)")
      results =
        PlanRunner(plan, store: store).run { _, _ in throw CocoaError(.fileNoSuchFile) }
        .results
      #expect(states(results)["a"]?.hasPrefix("failed: ") == true)
    }
  }

  /// A step that finds the disk full cannot say so in its log.
  @Test func aFullDiskIsNamedWhereItMayBeTheReason() throws {
    try withTemporaryFolder { folder in
      let store = StepStore(folder)
      let plan = try ExperimentPlan([ExperimentStep(id: "a"), ExperimentStep(id: "b")])
      let launcher = Launcher(store)
      launcher.ends["a"] = .exited(1)
      for (free, hint) in [
        (5000, " (no space left in \(folder.path))"), (5e9, ""), (nil as Double?, ""),
      ] {
        let results = PlanRunner(plan, store: store, freeBytes: { free })
          .run(launch: launcher.launch).results
        #expect(states(results) == ["a": "failed: exit status 1\(hint)", "b": "finished"])
      }
      let free = try #require(StepStore(folder.appending(path: "not/yet")).freeBytes)
      #expect(free > 0 && store.freeBytes != nil)
    }
  }

  /// Where the best epoch is the last one, its figures are those of the last checkpoint.
  @Test func theBestCheckpointTakesOverTheFiguresOfTheLast() throws {
    try withTemporaryFolder { folder in
      let plan = try ReproduceFixtures.plan(options: .init(only: ["Standard"])).plan
      for isBestLast in [true, false] {
        let store = StepStore(folder.appending(path: "\(isBestLast)"))
        var launched: [ExperimentStep] = []
        let results = PlanRunner(plan, store: store).run { step, _ in
          launched.append(step)
          if step.kind == .train {
            let run = CheckpointFolder(run: store.product(of: step))
            for epoch in [1, 2] {
              let best = try CheckpointState.Best(isBestLast ? epoch : 1)
              try run.save(
                CheckpointState(
                  epoch: epoch, step: epoch, best: best, configurationHash: "", torchVersion: ""),
                files: [:], keep: 1)
            }
          } else {
            try Data("{\"n\": \(launched.count)}".utf8).write(to: store.product(of: step))
          }
          return { StepEnd(.exited(0)) }
        }.results
        #expect(results.values.allSatisfy { $0.isFinished })
        let evaluations = launched.filter { $0.kind == .evaluate }
        #expect(evaluations.count == (isBestLast ? 2 : 4))
        for step in plan.steps {
          guard let twin = step.twin.flatMap({ plan[$0] }) else { continue }
          let isSame = store.figures(of: step) == store.figures(of: twin)
          #expect(isSame == isBestLast)
          #expect(store.finished(step)?.sameAs == (isBestLast ? twin.id : nil))
        }
        // A training whose checkpoints somebody has removed is to be done again.
        let training = try #require(plan.steps.first)
        #expect(store.finished(training) != nil)
        let checkpoints = store.product(of: training).appending(path: "checkpoints")
        try FileManager.default.removeItem(at: checkpoints)
        #expect(store.finished(training) == nil)
      }
    }
  }

  @Test func figuresThatAreNotThereAreNoFinishedStep() throws {
    try withTemporaryFolder { folder in
      let store = StepStore(folder)
      let plan = try ReproduceFixtures.plan().plan
      let step = try #require(plan.steps.first { !$0.kind.isTraining })
      try FileManager.default.createDirectory(
        at: store.folder(of: step.id), withIntermediateDirectories: true)
      #expect(throws: (any Error).self) { try store.finish(step, seconds: 1) }
      #expect(store.finished(step) == nil)
      try Data("{}".utf8).write(to: store.product(of: step))
      try store.finish(step, seconds: 1)
      #expect(store.finished(step) != nil)
      try FileManager.default.removeItem(at: store.product(of: step))
      #expect(store.finished(step) == nil)
    }
  }

  /// Steps of an earlier version, whose names no step of this one has, are not left behind in silence.
  @Test func foldersOfAnEarlierVersionAreKnown() throws {
    try withTemporaryFolder { folder in
      let store = StepStore(folder)
      #expect(!store.isOfEarlierFormat)
      let plan = try plan.get()
      _ = PlanRunner(plan, store: store).run(launch: Launcher(store).launch)
      #expect(!store.isOfEarlierFormat)
      for step in plan.steps {
        let text = try Data(contentsOf: store.request(of: step.id))
        #expect(try JSONValue(parsing: text).decode(StepRequest.self) == step.request)
      }
      try FileManager.default.removeItem(at: store.request(of: "c"))
      #expect(store.isOfEarlierFormat)
    }
  }

  @Test func oneProcessWorksInAFolder() throws {
    try withTemporaryFolder { folder in
      let store = StepStore(folder.appending(path: "new"))
      let lock = try store.lock()
      #expect(lock != nil)
      #expect(try store.lock() == nil)
      withExtendedLifetime(lock) {}
    }
  }
}

extension CheckpointState.Best {
  /// A best epoch with some figure.
  fileprivate init(_ epoch: Int) throws {
    self = try (["epoch": .int(epoch), "value": 0.5] as JSONValue).decode()
  }
}
