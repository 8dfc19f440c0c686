import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

/// `namid evaluate` as its users interrupt it, repeat it and get it wrong.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct EvaluationCommandTests {
  // Most images withstand this radius, so that there is work to be interrupted.
  private let arguments = [
    "evaluate", "run", "--attack", "clean,pgd-60:restarts=3:start=uniform,pgd-80:restarts=2",
    "--epsilon",
    "1/100", "--batch-size", "4",
  ]

  private func states(in folder: URL) throws -> [String] {
    let place = folder.appending(path: "run/evaluations")
    return FileManager.default.fileExists(atPath: place.path)
      ? try sortedNames(in: place).filter { !$0.hasSuffix(".json") } : []
  }

  /// Waits until some batches are finished, or the tool has ended.
  private func wait(for count: Int, of running: RunningTool, in folder: URL) {
    let manager = FileManager.default
    let root = folder.appending(path: "run/evaluations").path
    let deadline = Date(timeIntervalSinceNow: 120)
    while running.isRunning, Date() < deadline {
      let files = (try? manager.subpathsOfDirectory(atPath: root)) ?? []
      let finished = files.count {
        $0.hasSuffix(".safetensors") && !$0.split(separator: "/")[1].hasPrefix(".")
      }
      if finished >= count { return }
      usleep(1000)
    }
  }

  @Test func aKilledEvaluationContinuesToTheSameFigures() throws {
    try EvaluationRuns.with { folder in
      let whole = folder.appending(path: "whole.json")
      expectSuccess(try Tool.run(arguments + ["--json", "whole.json"], in: folder))
      #expect(try states(in: folder) == [])
      var kills = 0
      // In the pass over unattacked images, at its end, within the first attack, and within the second.
      for count in [3, 15, 18, 25] {
        let running = try Tool.start(arguments + ["--json", "killed.json"], in: folder)
        wait(for: count, of: running, in: folder)
        running.kill()
        let end = try running.wait()
        if end.status != 0 { kills += 1 }
        if kills > 1 { #expect(end.errors.contains("continuing: "), "\(end.errors)") }
      }
      if kills < 4 { print("the evaluation was killed \(kills) times out of 4") }
      #expect(kills > 0)
      expectSuccess(try Tool.run(arguments + ["--json", "killed.json"], in: folder))
      let killed = folder.appending(path: "killed.json")
      #expect(try EvaluationRuns.timeless(killed) == EvaluationRuns.timeless(whole))
      #expect(try states(in: folder) == [])

      let report = try EvaluationRuns.json(whole)
      let attacks = try #require(report["attacks"]?.arrayValue)
      let robust = try #require(attacks[1]["samples"]?["robust"]?.arrayValue)
      #expect(robust.count == 60)
      #expect(robust.count { $0.intValue == 1 } == attacks[1]["robust"]?.intValue)
      #expect(report["worst_case"]?["attacks"]?.arrayValue?.count == 2)
      #expect(report["samples"]?["index"]?.arrayValue?.count == 60)
      #expect(attacks[1]["refused_claims"]?["label"]?.intValue == 0)
    }
  }

  @Test func anotherEvaluationsFolderIsRefused() throws {
    try EvaluationRuns.with { folder in
      let running = try Tool.start(arguments + ["--state", "state"], in: folder)
      let state = folder.appending(path: "state")
      let deadline = Date(timeIntervalSinceNow: 120)
      let isUnderWay = { ((try? sortedNames(in: state)) ?? []).count > 5 }
      while running.isRunning, Date() < deadline, !isUnderWay() { usleep(1000) }
      let second = try Tool.run(arguments + ["--state", "state"], in: folder)
      #expect(second.status == 1)
      #expect(second.errors.contains("another process is at work"), "\(second.errors)")
      running.kill()
      _ = try running.wait()
      let before = try snapshot(of: folder)
      let other = try Tool.run(
        arguments + ["--state", "state", "--seed", "5", "--epsilon", "1/50"], in: folder)
      #expect(other.status == 1)
      for text in ["seed is 0 there and 5 here", "threat.epsilon", "--fresh"] {
        #expect(other.errors.contains(text), "\(other.errors)")
      }
      #expect(try snapshot(of: folder) == before)
      let fresh = try Tool.run(
        ["evaluate", "run", "--attack", "clean", "--state", "state", "--fresh"], in: folder)
      expectSuccess(fresh)
      #expect(!fresh.errors.contains("continuing"))
      #expect(try sortedNames(in: folder) == ["images", "run"])
    }
  }

  @Test func aFolderThatCannotHoldTheStateIsExplained() throws {
    try EvaluationRuns.with { folder in
      try Data("mine".utf8).write(to: folder.appending(path: "run/evaluations"))
      let outcome = try Tool.run(arguments, in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("--state"), "\(outcome.errors)")
      expectSuccess(
        try Tool.run(
          ["evaluate", "run", "--attack", "clean", "--state", "state"], in: folder))
      #expect(try sortedNames(in: folder) == ["images", "run"])
    }
  }

  /// A radius, a list or a place that is wrong is one line, at once, and leaves nothing behind.
  @Test func whatCannotBeMeasuredIsSaidAtOnce() throws {
    try EvaluationRuns.with { folder in
      try FileManager.default.createDirectory(
        at: folder.appending(path: "taken"), withIntermediateDirectories: true)
      let before = try snapshot(of: folder)
      // Nobody would wait for this attack.
      let endless = ["--attack", "pgd-100000:restarts=1000"]
      let mistakes: [(arguments: [String], said: [String])] = [
        (["--epsilon", "8"] + endless, ["ε is 8", "at most 1 in linf", "8/255"]),
        (["--epsilon", "21", "--norm", "l2"] + endless, ["ε is 21", "at most 20.78 in l2"]),
        (["--json", "nowhere/report.json"] + endless, ["nowhere", "does not exist"]),
        (["--json", "taken"] + endless, ["taken", "found a folder"]),
        (
          ["--save-adversarial", "nowhere/a.safetensors"] + endless, ["nowhere", "does not exist"]
        ),
        (["--attack", "pdg-20"], ["did you mean \"pgd\"", "known: "]),
        (["--attack", "pgd-20:step=1"], ["did you mean \"steps\""]),
        (["--attack", "pgd-0"], ["number from 1"]),
      ]
      for (arguments, said) in mistakes {
        let outcome = try Tool.run(["evaluate", "run"] + arguments, in: folder)
        #expect(outcome.status == 1, "\(arguments)")
        for text in said { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        #expect(outcome.output == "")
      }
      #expect(try snapshot(of: folder) == before)
    }
  }

  @Test func aNetworkThatHasFailedIsRefused() throws {
    try EvaluationRuns.with { folder in
      let checkpoint = folder.appending(path: "run/checkpoints/epoch-0002")
      for name in ["model.safetensors", "average.safetensors"] {
        let file = checkpoint.appending(path: name)
        let weights = try Weights.read(file)
        let broken = weights.map { name, tensor in
          (name: name, tensor: tensor.dtype == .float32 ? tensor.fullLike(Double.nan) : tensor)
        }
        try Weights.write(broken, to: file)
      }
      let outcome = try Tool.run(arguments, in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("the network's weights contain NaN"), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1)
      #expect(try states(in: folder) == [])
    }
  }
}
