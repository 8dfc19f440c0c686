import Foundation
import NamidFiles
import NamidTestSupport
import Testing

/// What `namid train` and `namid evaluate` leave in a run's folder for its readers.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct CardCommandTests {
  @Test func everyRunGetsItsCardAndItsFigures() throws {
    try EvaluationRuns.with(["x/seed-0", "x/seed-1"]) { folder in
      let runs = (0..<2).map { folder.appending(path: "x/seed-\($0)") }
      let card = { (run: URL) in
        try String(contentsOf: run.appending(path: "README.md"), encoding: .utf8)
      }
      for run in runs {
        #expect(try card(run).contains("In its own words: natural training of small-cnn"))
        #expect(try card(run).contains("Nothing was measured on test images"))
      }
      let arguments = [
        "evaluate", "x", "--seeds", "0,1", "--attack", "clean,pgd-3", "--json", "all.json",
      ]
      var names: [[String]] = []
      for _ in 0..<2 {
        let outcome = try Tool.run(arguments, in: folder)
        #expect(outcome.status == 0 && !outcome.errors.contains("card"), "\(outcome.errors)")
        let reports = try #require(
          try EvaluationRuns.json(folder.appending(path: "all.json"))["runs"]?.arrayValue)
        names = try runs.map { run in
          try FileManager.default.contentsOfDirectory(
            atPath: run.appending(path: "evaluations").path)
        }
        for (place, run) in runs.enumerated() {
          let hash = try #require(reports[place]["spec_hash"]?.stringValue)
          #expect(names[place] == ["epoch-2-\(hash).json"])
          #expect(try card(run).contains("`\(hash)`"))
          #expect(try card(run).contains("In its own words"))
          let entry = try EvaluationRuns.json(run.appending(path: "robustbench.json"))
          let accuracy = try #require(reports[place]["clean_accuracy"]?.doubleValue)
          #expect(entry["clean_acc"]?.stringValue == String(format: "%.2f", 100 * accuracy))
          #expect(entry["namid"]?["test_images"] == 60)
        }
      }
      #expect(names[0] != names[1])
    }
  }

  @Test func notesOfOnesOwnAreLeftAlone() throws {
    try EvaluationRuns.with { folder in
      let file = folder.appending(path: "run/README.md")
      try Data("my notes".utf8).write(to: file)
      let outcome = try Tool.run(["evaluate", "run", "--attack", "clean"], in: folder)
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("README.md stays as it is"), "\(outcome.errors)")
      #expect(try Data(contentsOf: file) == Data("my notes".utf8))
    }
  }
}
