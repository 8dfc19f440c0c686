import Foundation
import NamidAttacks
import NamidData
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidEvaluation

/// A measurement with all that makes it, to be made again and again.
struct TinyMeasurement: Codable, Sendable {
  var folder: URL
  var batchSize = 8
  var seed = 0
  var epsilon = 1.0 / 16
  var steps = 3

  var attacks: [any Attack] {
    let threat = ThreatModel(epsilon: Fraction(epsilon))
    let first = PGD(threat: threat, steps: steps, stepSize: 0.02, start: .uniform)
    let second = PGD(threat: threat, steps: 4, stepSize: 0.02, start: .uniform, restarts: 2)
    return [NoAttack(), first, StubAttack(name: "ensemble", parts: [first, second])]
  }

  func run(
    network: Network? = nil, images: ImageSet = Bars.mislabelled, fresh: Bool = false,
    keepsImages: Bool = false,
    progress: @escaping (String, Evaluator.Progress) -> Void = { _, _ in },
    say: @escaping (String) -> Void = { _ in }
  ) throws -> RobustnessMeasurement {
    let network = try network ?? trainedNetwork()
    var request = EvaluationRequest("", threat: ThreatModel(epsilon: Fraction(epsilon)))
    request.seed = seed
    request.keepsImages = keepsImages
    return try withOneThread {
      try Evaluator.measure(
        request, of: MeasuredNetwork(network, named: "a run", checkpoint: "epoch 1"), on: images,
        by: attacks,
        EvaluationConduct(
          batchSize: batchSize, keepingStateIn: .folder(folder), fresh: fresh, progress: progress,
          say: say))
    }
  }
}

/// What is interrupted continues and ends with the same figures; what is another evaluation is left alone.
@Suite(.serialized) struct EvaluationStateTests {
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    try body(root)
  }

  private func chunks(in folder: URL) throws -> [URL] {
    try sortedNames(in: folder).filter { $0.hasSuffix(".safetensors") }
      .map { folder.appending(path: $0) }
  }

  /// Whichever batches were finished, the rest is done, and nothing else.
  @Test func anySetOfFinishedBatchesLeadsToTheSame() throws {
    try withFolder { root in
      let network = try trainedNetwork()
      let state = root.appending(path: "state")
      let measurement = TinyMeasurement(folder: state)
      let images = { (measurement: RobustnessMeasurement) in
        measurement.outcomes.map { $0.images?.array(of: Float.self) }
      }
      // The state, and with it its lock, does not outlive the function.
      let first = { () throws in
        let whole = try measurement.run(network: network, keepsImages: true)
        return (report: whole.report, images: images(whole))
      }
      let whole = try first()
      let robust = whole.report.attacks.map(\.robust)
      #expect(robust[0] > robust[1] && robust[1] > robust[2] && robust[2] > 0, "\(robust)")
      let files = try chunks(in: state)
      #expect(files.count > 15)
      for (round, kept) in [0, 1, 2, 3, 5, 7].enumerated() {
        for (place, file) in files.enumerated() where kept == 0 || place % kept != 0 {
          try? FileManager.default.removeItem(at: file)
        }
        var lines: [String] = []
        // Other batches than before: they do not matter.
        var again = measurement
        again.batchSize = round % 2 == 0 ? 8 : 13
        let outcome = try again.run(
          network: network, keepsImages: true, say: { lines.append($0) })
        #expect(try timeless(outcome.report) == timeless(whole.report), "\(kept)")
        #expect(images(outcome) == whole.images)
        #expect(lines.count == (kept == 0 ? 1 : 2))
        #expect(
          lines[0] == "\(Bars.mislabelled.count) images in batches of \(again.batchSize), cpu")
        if kept > 0 { #expect(lines[1].contains("continuing: "), "\(lines)") }
        outcome.state?.finish()
        _ = try first()
      }
    }
  }

  /// Nothing is computed twice: a finished measurement asks the network nothing but for the diagnostics.
  @Test func whatIsFinishedIsNotDoneAgain() throws {
    try withFolder { root in
      let measurement = TinyMeasurement(folder: root.appending(path: "state"))
      var passes: [String] = []
      _ = try measurement.run(progress: { name, _ in passes.append(name) })
      #expect(Set(passes) == ["clean", "pgd-3", "ensemble: pgd-4 (2/2)"])
      passes = []
      var lines: [String] = []
      let before = try snapshot(of: root)
      _ = try measurement.run(
        progress: { name, _ in passes.append(name) }, say: { lines.append($0) })
      #expect(passes == [])
      #expect(try snapshot(of: root) == before)
      let count = try chunks(in: measurement.folder).count
      #expect(
        lines.last?.contains("continuing: \(count) of at most 24 batches") == true, "\(lines)")
    }
  }

  @Test(arguments: [1, 9, 12, 20])
  func aKilledMeasurementContinues(batches: Int) async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let whole = try TinyMeasurement(folder: root.appending(path: "whole")).run()
    let killed = TinyMeasurement(folder: root.appending(path: "killed"))
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [killed = killed as TinyMeasurement, batches = batches as Int] in
      var done = 0
      _ = try killed.run(progress: { _, _ in
        done += 1
        if done == batches { kill(getpid(), SIGKILL) }
      })
    }
    #expect(try chunks(in: killed.folder).count == batches)
    let continued = try killed.run()
    #expect(
      try timeless(continued.report).text(indent: 2) == timeless(whole.report).text(indent: 2))
  }

  @Test func theStateIsGoneWhenItHasServed() throws {
    try withFolder { root in
      let run = root.appending(path: "run")
      try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
      let network = try trainedNetwork()
      let measurement = try Evaluator.measure(
        EvaluationRequest("clean", threat: Bars.threat),
        of: MeasuredNetwork(network, named: "run", checkpoint: "epoch 1"), on: Bars.set,
        by: [NoAttack()], EvaluationConduct(keepingStateIn: .run(run)))
      let state = try #require(measurement.state)
      let hash = measurement.report.specificationHash
      #expect(state.folder.path == run.appending(path: "evaluations/\(hash).state").path)
      #expect(try sortedNames(in: run) == ["evaluations"])
      state.finish()
      #expect(try sortedNames(in: run) == [])
      // What somebody else has put there stays.
      let other = TinyMeasurement(folder: root.appending(path: "state"))
      let second = try other.run(network: network)
      try Data("mine".utf8).write(to: other.folder.appending(path: "notes.txt"))
      second.state?.finish()
      #expect(try sortedNames(in: other.folder) == ["notes.txt"])
    }
  }

  // MARK: Refusals

  @Test func anotherEvaluationIsRefusedAndLeftAlone() throws {
    try withFolder { root in
      let network = try trainedNetwork()
      let measurement = TinyMeasurement(folder: root.appending(path: "state"))
      _ = try measurement.run(network: network)
      let before = try snapshot(of: root)
      var others = [TinyMeasurement](repeating: measurement, count: 3)
      others[0].seed = 1
      others[1].epsilon = 0.1
      others[2].steps = 5
      let words = [
        "seed is 0 there and 1 here", "threat.epsilon is 0.0625 there", "steps is 3 there",
      ]
      for (other, said) in zip(others, words) {
        let error = #expect(throws: EvaluationError.self) { try other.run(network: network) }
        #expect(error?.description.contains(said) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("start anew") == true)
      }
      let model = #expect(throws: EvaluationError.self) {
        try measurement.run(network: trainedNetwork(seed: 2))
      }
      #expect(model?.description.contains("model.fingerprint is ") == true)
      let data = #expect(throws: EvaluationError.self) {
        try measurement.run(network: network, images: SyntheticImages.set(60))
      }
      #expect(data?.description.contains("data.fingerprint is ") == true)
      #expect(data?.description.contains("data.split is test there and train here") == true)
      // The same images under other indices have other random numbers.
      let set = Bars.mislabelled
      let moved = ImageSet(
        name: set.name, title: set.title, split: set.split, height: set.height, width: set.width,
        channels: set.channels, classNames: set.classNames, pixels: set.pixels, labels: set.labels,
        indices: set.indices.map { $0 + 1 }, layout: set.layout)
      let order = #expect(throws: EvaluationError.self) {
        try measurement.run(network: network, images: moved)
      }
      #expect(order?.description.contains("data.order is ") == true)
      #expect(try snapshot(of: root) == before)

      let fresh = try others[0].run(network: network, fresh: true)
      #expect(fresh.report.seed == 1)
      #expect(try snapshot(of: root) != before)
    }
  }

  /// Batches of an earlier format are not mixed with this one's, and the reason is said.
  @Test func anEarlierFormatIsRefused() throws {
    try withFolder { root in
      let measurement = TinyMeasurement(folder: root.appending(path: "state"))
      let network = try trainedNetwork()
      _ = try measurement.run(network: network)
      let file = measurement.folder.appending(path: "plan.json")
      let plan = try String(contentsOf: file, encoding: .utf8)
      let earlier = plan.replacing(#""version": 2"#, with: #""version": 1"#)
      #expect(earlier != plan)
      try Data(earlier.utf8).write(to: file)
      let before = try snapshot(of: root)
      #expect(throws: EvaluationError.earlierFormat(measurement.folder.path, format: 1)) {
        try measurement.run(network: network)
      }
      #expect(try snapshot(of: root) == before)
      _ = try measurement.run(network: network, fresh: true)
    }
  }

  @Test func foldersThatAreNoStateAreRefused() throws {
    try withFolder { root in
      let folder = root.appending(path: "work")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data("mine".utf8).write(to: folder.appending(path: "thesis.tex"))
      for fresh in [false, true] {
        let error = #expect(throws: EvaluationError.self) {
          try TinyMeasurement(folder: folder).run(fresh: fresh)
        }
        #expect(error == .foreignFiles(folder.path, names: ["thesis.tex"]))
      }
      #expect(try sortedNames(in: folder) == ["thesis.tex"])
      let file = folder.appending(path: "thesis.tex")
      let error = #expect(throws: EvaluationError.self) {
        try TinyMeasurement(folder: file).run()
      }
      #expect(
        error?.description.contains("for the state") == true
          || error?.description.contains("can be written to") == true, "\(error?.description ?? "")"
      )
      #expect(try Data(contentsOf: file) == Data("mine".utf8))
    }
  }

  @Test func aPlanThatCannotBeReadIsRefused() throws {
    try withFolder { root in
      let measurement = TinyMeasurement(folder: root)
      let plan = root.appending(path: "plan.json")
      try Data("{".utf8).write(to: plan)
      let error = #expect(throws: EvaluationError.self) { try measurement.run() }
      #expect(error?.description.contains("plan.json cannot be read") == true)
      #expect(try sortedNames(in: root) == ["plan.json"])
      _ = try measurement.run(fresh: true)
      #expect(try Data(contentsOf: plan).count > 100)
    }
  }

  @Test func twoProcessesDoNotShareAState() throws {
    try withFolder { root in
      let measurement = TinyMeasurement(folder: root.appending(path: "state"))
      // Locks belong to open files: a second one in this process stands for that of another.
      for fresh in [false, true] {
        let first = try measurement.run(fresh: fresh)
        #expect(throws: EvaluationError.stateInUse(measurement.folder.path)) {
          try measurement.run()
        }
        withExtendedLifetime(first) {}
      }
    }
  }

  // MARK: Damage

  @Test func damagedBatchesAreDoneAgain() throws {
    try withFolder { root in
      let network = try trainedNetwork()
      let measurement = TinyMeasurement(folder: root.appending(path: "state"))
      let whole = try timeless(measurement.run(network: network).report)
      let files = try chunks(in: measurement.folder)
      var bytes = try Data(contentsOf: files[0])
      bytes[bytes.count - 3] ^= 4
      try bytes.write(to: files[0])
      try Data(contentsOf: files[4]).prefix(700).write(to: files[4])
      try Data().write(to: files[9])
      // A file of another place is whole, but does not belong here.
      try FileManager.default.removeItem(at: files[12])
      try FileManager.default.copyItem(at: files[2], to: files[12])
      var lines: [String] = []
      let again = try measurement.run(network: network, say: { lines.append($0) })
      #expect(try timeless(again.report) == whole)
      let damaged = lines.filter { $0.contains("is damaged and its batch is done again") }
      #expect(damaged.count == 4, "\(lines)")
      for file in [files[0], files[4], files[9]] {
        #expect(damaged.contains { $0.contains(file.lastPathComponent) })
      }
      #expect(lines.last?.contains("continuing: \(files.count - 4) of") == true, "\(lines)")
    }
  }

  /// What a killed write has left aside is swept away with the rest.
  @Test func tracesOfAKilledWriteAreNoHindrance() throws {
    try withFolder { root in
      let measurement = TinyMeasurement(folder: root.appending(path: "state"))
      let first = try measurement.run()
      let trace = ".clean-00000000-0000000.safetensors.0123456789abcdef.partial"
      try Data("half".utf8).write(to: measurement.folder.appending(path: trace))
      first.state?.finish()
      #expect(try sortedNames(in: root) == [])
    }
  }
}
