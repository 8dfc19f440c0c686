import Foundation
import NamidTestSupport
import Testing

/// `namid evaluate` of several runs at once.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct SeveralRunsTests {
  @Test func seedsAreMeasuredAndSummedUp() throws {
    try EvaluationRuns.with(["x/seed-0", "x/seed-1", "x/seed-2"]) { folder in
      let outcome = try Tool.run(
        [
          "evaluate", "x", "--seeds", "0,1,2", "--attack", "clean,pgd-3", "--epsilon", "1/50",
          "--json", "all.json",
        ], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("(n = 3)"), "\(outcome.output)")
      let report = try EvaluationRuns.json(folder.appending(path: "all.json"))
      let runs = try #require(report["runs"]?.arrayValue)
      #expect(runs.map { $0["model"]?["name"]?.stringValue } == (0..<3).map { "x/seed-\($0)" })
      let single = try Tool.run(
        [
          "evaluate", "x/seed-1", "--attack", "clean,pgd-3", "--epsilon", "1/50", "--json",
          "1.json",
        ],
        in: folder)
      #expect(single.status == 0, "\(single.errors)")
      let alone = try EvaluationRuns.json(folder.appending(path: "1.json"))
      #expect(runs[1]["spec_hash"] == alone["spec_hash"])
      let shares = runs.compactMap { $0["attacks"]?.arrayValue?[1]["robust_accuracy"]?.doubleValue }
      let summary = try #require(report["summary"]?.arrayValue?[1]["robust_accuracy"])
      let mean = try #require(summary["mean"]?.doubleValue)
      #expect(abs(mean - shares.reduce(0, +) / 3) < 1e-12)
      let template = try Tool.run(
        ["evaluate", "x/seed-{seed}", "--seeds", "0,2", "--attack", "clean"], in: folder)
      #expect(template.status == 0 && template.output.contains("(n = 2)"), "\(template.errors)")
    }
  }

  @Test func mistakesAreSaidBeforeTheFirstRunIsMeasured() throws {
    try EvaluationRuns.with(["a", "b"]) { folder in
      let before = try snapshot(of: folder)
      let attack = ["--attack", "clean,pgd-2", "--limit", "4"]
      let file = folder.appending(path: "b/config.yaml")
      let mistakes: [(arguments: [String], status: Int32, said: String)] = [
        (["a", "b", "--state", "s"] + attack, 64, "--state is for one run"),
        (["a", "b", "--save-adversarial", "x"] + attack, 64, "is for one run"),
        (["a", "--seeds", "0,0"] + attack, 64, "--seeds"),
        (["a", "--seeds", "7"] + attack, 1, "a/seed-7"),
        (["a", "c"] + attack, 1, "c"),
      ]
      for (arguments, status, said) in mistakes {
        let outcome = try Tool.run(["evaluate"] + arguments, in: folder)
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(outcome.errors.contains(said), "\(outcome.errors)")
        #expect(!outcome.errors.contains("measuring a"), "\(outcome.errors)")
      }
      #expect(try snapshot(of: folder) == before)
      let text = try String(contentsOf: file, encoding: .utf8)
      try text.replacing("epsilon: 1/20", with: "epsilon: 1/10")
        .write(to: file, atomically: true, encoding: .utf8)
      let changed = try snapshot(of: folder)
      let outcome = try Tool.run(["evaluate", "a", "b"] + attack, in: folder)
      #expect(outcome.status == 1)
      #expect(!outcome.errors.contains("measuring a"), "\(outcome.errors)")
      #expect(try snapshot(of: folder) == changed)
      #expect(outcome.errors.contains("b would be measured with another ball than a"))
    }
  }
}
