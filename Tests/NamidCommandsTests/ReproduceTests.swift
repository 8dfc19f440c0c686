import Foundation
import NamidFiles
import NamidTestSupport
import Testing

/// `namid reproduce` with a recipe of one's own, from nothing to its tables.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct ReproduceTests {
  private let recipe = BarsRecipe.text(
    seeds: "[0, 1]", threat: "{norm: linf, epsilon: 1/20}",
    rest: """
      rows:
        Standard: {defense: standard}
        NAMID: {defense: namid, estimators: ours}
      estimators:
        ours:
          target: Standard
          settings: {units: 4, epochs: 1, batchSize: 32}
      columns:
        clean: {attack: clean}
        PGD-2: {attack: pgd-2}
      presets:
        bad:
          seeds: [0]
          rows:
            Standard: {settings: {optimizer: {learningRate: 1e30}}}
            Natural: {defense: natural}
      """)

  private func withRecipe(_ body: (URL) throws -> Void) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    try SyntheticImages.write(to: folder.appending(path: "images"))
    try Data(recipe.utf8).write(to: folder.appending(path: "bars.yaml"))
    try body(folder)
  }

  private func words(_ out: String, _ more: [String] = []) -> [String] {
    ["reproduce", "bars.yaml", "--out", out, "--threads", "1"] + more
  }

  private func results(_ folder: URL, _ out: String) throws -> JSONValue {
    try JSONValue(
      parsing: Data(contentsOf: folder.appending(path: "\(out)/results.json")))
  }

  private func finishedSteps(_ folder: URL, _ out: String) -> Int {
    let steps = folder.appending(path: "\(out)/steps")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: steps.path)) ?? []
    return names.count {
      FileManager.default.fileExists(atPath: steps.appending(path: "\($0)/done.json").path)
    }
  }

  /// The Markdown without the lines that name the command and the time.
  private func timelessTables(_ folder: URL, _ out: String) throws -> String {
    let text = try String(
      contentsOf: folder.appending(path: "\(out)/tables.md"), encoding: .utf8)
    return text.split(separator: "\n")
      .filter { !$0.hasPrefix("`namid ") && !$0.contains("Steps: ") }
      .joined(separator: "\n")
  }

  /// Killed at three drawn points and gone on with, it ends in the tables of a run that nobody has disturbed.
  @Test func aKilledReproductionEndsInTheSameTables() throws {
    try withRecipe { folder in
      let begin = Date()
      let whole = try Tool.run(words("whole"), in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      let expected = try results(folder, "whole")
      let total = try #require(expected["steps"]?.arrayValue?.count)
      let secondsPerStep = Date().timeIntervalSince(begin) / Double(total)
      // Mostly in the middle of a step, which the number of finished steps alone would never hit.
      var draws = Draws(state: 17)
      var earlier = 0
      for third in 0..<3 {
        let steps = total * third / 3 + Int.random(in: 0..<(total / 3), using: &draws)
        let part = Double.random(in: 0..<1, using: &draws)
        let running = try Tool.start(words("killed", ["--jobs", "2"]), in: folder)
        let deadline = Date(timeIntervalSinceNow: 120)
        let records = folder.appending(path: "killed/results.json").path
        while running.isRunning, Date() < deadline,
          finishedSteps(folder, "killed") < steps
            || !FileManager.default.fileExists(atPath: records)
        {
          usleep(2000)
        }
        usleep(UInt32(part * secondsPerStep * 1e6))
        running.kill()
        let end = try running.wait()
        if end.status == 0 { print("the reproduction ended before it was killed") }
        // A figure that is not there yet must not be shown.
        let between = try results(folder, "killed")
        #expect(between["steps"]?.arrayValue?.contains { $0["state"] == "failed" } == false)
        // What earlier calls have finished is in the tables all the while.
        let known = between["steps"]?.arrayValue?.count { $0["state"] == "finished" } ?? 0
        #expect(known >= earlier, "\(known) of \(earlier)")
        #expect(end.status == 0 || between["interrupted"] == true)
        earlier = finishedSteps(folder, "killed")
        // The call that was going on ends with the one that has started it.
        usleep(300_000)
      }
      let last = try Tool.run(words("killed", ["--jobs", "2"]), in: folder)
      #expect(last.status == 0, "\(last.errors)")
      #expect(last.errors.contains("used again"), "\(last.errors)")
      let found = try results(folder, "killed")
      #expect(found["tables"] == expected["tables"])
      #expect(try timelessTables(folder, "killed") == timelessTables(folder, "whole"))
      let cell = try #require(
        found["tables"]?.arrayValue?[0]["parts"]?.arrayValue?[0]["rows"]?.arrayValue?[1]["cells"]?
          .arrayValue?[1])
      #expect(cell["column"] == "PGD-2" && cell["summary"]?["count"] == 2)
      let file = try #require(cell["runs"]?.arrayValue?[0]["file"]?.stringValue)
      let figures = try JSONValue(
        parsing: Data(contentsOf: folder.appending(path: "killed/\(file)")))
      #expect(figures["spec_hash"] == cell["runs"]?.arrayValue?[0]["spec_hash"])
      let tables = try String(
        contentsOf: folder.appending(path: "killed/tables.md"), encoding: .utf8)
      #expect(tables.contains("](\(file))"), "\(tables)")

      // Nothing is left to do, and other formats say the same.
      let csv = try Tool.run(words("killed", ["--format", "csv"]), in: folder)
      #expect(csv.status == 0 && csv.output.hasPrefix("table,preset,part"), "\(csv.errors)")
      #expect(csv.output.split(separator: "\n").count == 9)
      #expect(!csv.errors.contains("[1/"), "\(csv.errors)")
    }
  }

  /// Rows that are not asked for stay where they are measured, and are left out where they are not.
  @Test func measuredRowsStayInTheTables() throws {
    try withRecipe { folder in
      func rows() throws -> [JSONValue?] {
        (try results(folder, "out")["tables"]?.arrayValue?[0]["parts"]?.arrayValue?[0]["rows"]?
          .arrayValue ?? []).map { $0["name"] }
      }
      let seed = ["--seeds", "0"]
      #expect(try Tool.run(words("out", ["--only", "Standard"] + seed), in: folder).status == 0)
      #expect(try rows() == ["Standard"])
      #expect(try Tool.run(words("out", ["--only", "NAMID"] + seed), in: folder).status == 0)
      #expect(try rows() == ["Standard", "NAMID"])
      let again = try Tool.run(words("out", ["--only", "Standard"] + seed), in: folder)
      #expect(again.status == 0 && !again.errors.contains("[1/"), "\(again.errors)")
      #expect(try rows() == ["Standard", "NAMID"])
      #expect(try results(folder, "out")["interrupted"] == false)
      // Nor is a seed missing that was not asked for.
      let more = try Tool.run(words("out", ["--only", "NAMID"]), in: folder)
      #expect(more.status == 0 && !more.output.contains("missing"), "\(more.output)")
      // Another recipe's tables take their place, and that is said.
      try Data(recipe.utf8).write(to: folder.appending(path: "other.yaml"))
      let other = try Tool.run(
        ["reproduce", "other.yaml", "--out", "out", "--threads", "1"] + seed, in: folder)
      #expect(other.status == 0)
      #expect(other.errors.contains("the tables of bars in out are replaced"), "\(other.errors)")
      // A folder that is none is said by a dry run, too.
      let file = try Tool.run(words("bars.yaml", ["--dry-run"]), in: folder)
      #expect(
        file.status == 1 && file.errors.contains("bars.yaml is not a folder"), "\(file.errors)")
    }
  }

  @Test func aFailedStepIsShownAndStopsOnlyWhatNeedsIt() throws {
    try withRecipe { folder in
      let outcome = try Tool.run(words("out", ["--preset", "bad"]), in: folder)
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("failed: train Standard"), "\(outcome.errors)")
      #expect(outcome.errors.contains("not finite"), "\(outcome.errors)")
      #expect(outcome.errors.contains("/log.txt"), "\(outcome.errors)")
      #expect(outcome.output.contains("Not measured, and why:"), "\(outcome.output)")
      let rows = try #require(
        try results(folder, "out")["tables"]?.arrayValue?[0]["parts"]?.arrayValue?[0]["rows"]?
          .arrayValue)
      let states = rows.map { row in
        Set((row["cells"]?.arrayValue ?? []).compactMap { $0["state"]?.stringValue })
      }
      #expect(states == [["failed"], ["failed"], ["measured"]])
    }
  }

  /// A limit on the size of files stands for a disk without room: a run does not fit, a record does.
  @Test func aRunThatCannotBeWrittenIsSaidAndDoneOnceThereIsRoom() throws {
    try withRecipe { folder in
      let words = words("out", ["--only", "Standard", "--seeds", "0"])
      let failing = try Tool.run(words, in: folder, after: "ulimit -f 14")
      #expect(failing.status == 1, "\(failing.errors)")
      #expect(failing.errors.contains("file size limit reached"), "\(failing.errors)")
      #expect(failing.output.contains("Not measured, and why:"), "\(failing.output)")
      #expect(finishedSteps(folder, "out") == 0)
      let files = try snapshot(of: folder.appending(path: "out")).keys
      #expect(!files.contains { $0.hasSuffix(".partial") || $0.hasSuffix(".safetensors") })
      // Not even the records fit: that is said at once, and those that are there stay.
      let records = try results(folder, "out")
      let mute = try Tool.run(words, in: folder, after: "ulimit -f 1")
      #expect(mute.status == 1 && !mute.errors.contains("[1/"), "\(mute.errors)")
      #expect(mute.errors.contains("out/results.json is unchanged"), "\(mute.errors)")
      #expect(try results(folder, "out") == records)
      let whole = try Tool.run(words, in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      #expect(!whole.output.contains("failed"), "\(whole.output)")
    }
  }

  @Test func aDryRunSaysWhatWouldBeDoneAndWritesNothing() throws {
    try withRecipe { folder in
      let before = try snapshot(of: folder)
      let outcome = try Tool.run(words("out", ["--dry-run", "--only", "NAMID"]), in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      for text in ["train NAMID, bars, seed 1", "to do", "memory", "of memory", "steps, 10 to do"] {
        #expect(outcome.output.contains(text), "\(outcome.output)")
      }
      #expect(!outcome.output.contains("evaluate Standard"))
      #expect(try snapshot(of: folder) == before)
    }
  }

  @Test func mistakesAreSaidBeforeAnythingIsWritten() throws {
    try withRecipe { folder in
      let wrong = recipe.replacing("epochs: 2", with: "epohcs: 2")
      try Data(wrong.utf8).write(to: folder.appending(path: "wrong.yaml"))
      let missing = recipe.replacing("folder:images", with: "folder:nowhere")
      try Data(missing.utf8).write(to: folder.appending(path: "missing.yaml"))
      let before = try snapshot(of: folder)
      let mistakes: [(arguments: [String], said: [String])] = [
        (["wrong.yaml"], ["wrong.yaml:9", "training.epohcs", "did you mean"]),
        (["missing.yaml"], ["missing.yaml:4", "the data set folder:nowhere cannot be used"]),
        (["bars.yaml", "--preset", "good"], ["unknown choice \"good\"", "bad"]),
        (["bars.yaml", "--only", "NAMD"], ["did you mean \"NAMID\""]),
        (["none.yaml"], ["none.yaml", "does not exist"]),
      ]
      for (arguments, said) in mistakes {
        let outcome = try Tool.run(["reproduce", "--out", "out"] + arguments, in: folder)
        #expect(outcome.status == 1, "\(arguments)")
        for text in said { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
      }
      // A step's file that was cut short or holds another thing is named, and nothing is written beside it.
      for (text, said) in [
        ("{\"train\": {\"seed\"", "expected"),
        ("{\"fly\": {}}", "expected one of train, estimators"),
      ] {
        let file = folder.appending(path: "request.json")
        try Data(text.utf8).write(to: file)
        let outcome = try Tool.run(["step", "request.json"], in: folder)
        #expect(outcome.status == 1 && outcome.errors.contains(said), "\(outcome.errors)")
        #expect(outcome.errors.contains("request.json holds no step"), "\(outcome.errors)")
        try FileManager.default.removeItem(at: file)
      }
      let negative = try Tool.run(words("out", ["--seeds=-1"]), in: folder)
      #expect(negative.status == 64 && negative.errors.contains("must not be negative"))
      #expect(try snapshot(of: folder) == before)
    }
  }
}

/// Numbers that look random and are the same every time.
private struct Draws: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 32)
  }
}
