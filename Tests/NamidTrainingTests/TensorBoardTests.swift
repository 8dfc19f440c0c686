import Foundation
import NamidFiles
import NamidTestSupport
import Testing

@testable import NamidTraining

/// A Python with TensorBoard, where somebody has named one.
private enum TensorBoard {
  static let variable = "NAMID_TENSORBOARD_PYTHON"

  static let python: URL? = {
    guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty else {
      print("skipped: \(variable) names no Python that has TensorBoard")
      return nil
    }
    return URL(filePath: path)
  }()

  struct Failure: Error {
    var text: String
  }

  /// What TensorBoard's own reader finds in a run's folder: steps and values by tag.
  static func scalars(in folder: URL) throws -> [String: [Point]] {
    let script = """
      import json, sys
      from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      reader = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
      reader.Reload()
      print(json.dumps({tag: [{"step": e.step, "value": e.value} for e in reader.Scalars(tag)]
                        for tag in reader.Tags()["scalars"] if reader.Scalars(tag)}))
      """
    let process = Process()
    process.executableURL = python
    process.arguments = ["-c", script, folder.path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(text: "\(variable) cannot read \(folder.path) with TensorBoard")
    }
    return try JSONDecoder().decode([String: [Point]].self, from: data)
  }
}

private struct Point: Codable, Equatable {
  var step: Int
  var value: Float
}

/// TensorBoard finds in a run's event files what its `metrics.jsonl` says, each step once.
@Suite(.serialized, .enabled(if: TensorBoard.python != nil)) struct TensorBoardTests {
  private func withRun(_ body: (URL, TinyRun) async throws -> Void) async throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    try await body(root, TinyRun(in: root, defense: .natural))
  }

  private func eventFiles(of run: TinyRun) throws -> [URL] {
    try sortedNames(in: run.folder).filter { $0.hasPrefix("events.out.tfevents.") }
      .map { run.folder.appending(path: $0) }
  }

  private func expectSameAsMetrics(_ run: TinyRun) throws {
    var expected: [String: [Point]] = [:]
    for line in try MetricsFile.read(run.folder.appending(path: RunFolder.metricsFile)) {
      let step = try #require(line["step"]?.intValue)
      for (key, value) in line where key == "learning_rate" || key.contains("/") {
        let value = try #require(value.doubleValue)
        expected[key, default: []].append(Point(step: step, value: Float(value)))
      }
    }
    #expect(expected["train/loss"]?.count == run.configuration.training.epochs)
    let found = try TensorBoard.scalars(in: run.folder)
    #expect(found.keys.sorted() == expected.keys.sorted())
    for (tag, points) in expected { #expect(found[tag] == points, "\(tag)") }
  }

  @Test func aRunIsRead() async throws {
    try await withRun { _, run in
      try run.train()
      #expect(try eventFiles(of: run).count == 1)
      try expectSameAsMetrics(run)
    }
  }

  /// The second epoch was noted, its checkpoint never came to be, and the kill tore a record.
  @Test func aResumedRunHasEachStepOnce() async throws {
    try await withRun { _, run in
      await #expect(processExitsWith: .signal(SIGKILL)) { [run = run as TinyRun] in
        try run.train(report: die(inEpoch: 2, afterBatch: 10))
      }
      try note(orphanOfStep: 40, in: run)
      try tearLastRecord(of: run)
      try run.train(resume: true)
      #expect(try eventFiles(of: run).count == 3)
      try expectSameAsMetrics(run)
    }
  }

  /// Without any checkpoint the run starts over, and what was noted before does not stay.
  @Test func aRunThatStartsOverHasEachStepOnce() async throws {
    try await withRun { _, run in
      await #expect(processExitsWith: .signal(SIGKILL)) { [run = run as TinyRun] in
        try run.train(report: die(inEpoch: 1, afterBatch: 10))
      }
      try note(orphanOfStep: 20, in: run)
      try run.train(resume: true)
      #expect(try eventFiles(of: run).count == 3)
      try expectSameAsMetrics(run)
    }
  }

  private func note(orphanOfStep step: Int, in run: TinyRun) throws {
    let events = try EventFile(folder: run.folder, resumingAfter: step - 1)
    try events.append(step: step, [(tag: "train/loss", value: 99), (tag: "train/gone", value: 1)])
  }

  private func tearLastRecord(of run: TinyRun) throws {
    let file = try #require(try eventFiles(of: run).last)
    let events = try EventFile(folder: run.folder.deletingLastPathComponent())
    try events.append(step: 50, [(tag: "train/loss", value: 98)])
    let record = try Data(contentsOf: events.url).suffix(30)
    try (Data(contentsOf: file) + record.prefix(17)).write(to: file)
  }
}
