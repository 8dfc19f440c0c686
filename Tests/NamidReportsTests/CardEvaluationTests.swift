import Foundation
import NamidAttacks
import NamidEvaluation
import NamidFiles
import NamidSettings
import NamidTraining
import Testing

@testable import NamidReports

/// Copies of evaluations in a run's folder, and what else may lie there.
extension CardTests {
  // MARK: Copies of evaluations

  @Test func aReportIsKeptPerCheckpointAndSpecificationWithoutSamples() throws {
    try CardRun.with { run in
      var report = try run.measured()
      #expect(report.samples != nil && report.attacks[0].samples != nil)
      try RunEvaluations.keep(report, in: run.folder)
      let name = "epoch-3-\(report.specificationHash).json"
      #expect(try run.names() == [name])
      report.attacks[1].seconds = 77
      try RunEvaluations.keep(report, in: run.folder)
      try RunEvaluations.keep(run.measured(2), in: run.folder)
      #expect(try run.names().count == 2)
      let tree = try JSONValue(parsing: Data(contentsOf: run.evaluations.appending(path: name)))
      let copy = try tree.decode(EvaluationReport.self)
      #expect(copy.attacks[1].seconds == 77)
      #expect(copy.samples == nil && copy.attacks.allSatisfy { $0.samples == nil })
      #expect(copy.specificationHash == report.specificationHash)
      #expect(copy.attacks.map(\.robust) == report.attacks.map(\.robust))
      #expect(copy.flags == report.flags && copy.flags != nil)
    }
  }

  @Test func aReportThatCannotBeKeptIsANoteAndTheCardIsStillWritten() throws {
    try CardRun.with { run in
      try Data("mine".utf8).write(to: run.evaluations)
      run.evaluate(try run.measured())
      #expect(run.said.count == 1 && run.said[0].contains("keeps no copy"), "\(run.said)")
      #expect(try Data(contentsOf: run.evaluations) == Data("mine".utf8))
      #expect(try run.card().contains("Nothing was measured on test images"))
    }
  }

  /// Reports from before some keys were added are read; those without what a figure needs are not.
  @Test func olderReportsAreRead() throws {
    try CardRun.with { run in
      try run.put("old.json", run.measured()) { tree in
        for key in ["flags", "cost", "source", "samples", "worst_case"] { tree[key] = nil }
        tree["a_later_key"] = [1, 2]
      }
      try run.put("older.json", run.measured(2)) { $0["threat"] = nil }
      run.train()
      #expect(run.said.count == 1 && run.said[0].contains("threat"), "\(run.said)")
      let card = try run.card()
      #expect(card.contains("| epoch 3 | `pgd-2` | 20 test, CIFAR-10 (JPEG copy) |"), "\(card)")
      #expect(!card.contains("raised no flag"))
    }
  }

  // MARK: Files that are not to be believed

  /// Changes the second attack of a report.
  private func forged(
    _ change: @escaping (inout JSONObject) -> Void
  ) -> (inout JSONObject) -> Void {
    { tree in
      var attack = tree["attacks"]?.arrayValue?[1].objectValue ?? [:]
      change(&attack)
      tree["attacks"] = [tree["attacks"]?.arrayValue?[0] ?? .null, .object(attack)]
    }
  }

  /// Changes what a report says of its network.
  private func model(_ key: String, _ value: JSONValue) -> (inout JSONObject) -> Void {
    { tree in
      var model = tree["model"]?.objectValue ?? [:]
      model[key] = value
      tree["model"] = .object(model)
    }
  }

  @Test func whatIsNoSoundReportOnThisRunIsNamedAndLeftOut() throws {
    try CardRun.with { run in
      let good = try run.measured()
      run.evaluate(good)
      let before = try run.card()
      try run.put("garbage.json", Data("{\"dataset\": ".utf8))
      try run.put("note.txt", Data("hello".utf8))
      try run.put(
        "better.json", good,
        forged {
          $0["robust"] = 20; $0["robust_accuracy"] = 0.9
        })
      try run.put(
        "more.json", good,
        forged {
          $0["robust"] = .int(.max); $0["total"] = .int(.max)
        })
      try run.put("settings.json", good, forged { $0["settings"] = ["steps": "200"] })
      try run.put("clean.json", good) { $0["clean_accuracy"] = "nan" }
      try run.put("count.json", good) { tree in
        var data = tree["dataset"]?.objectValue ?? [:]
        data["count"] = .int(.max)
        tree["dataset"] = .object(data)
      }
      try run.put("ball.json", good) {
        $0["threat"] = ["norm": "linf", "epsilon": 0.1, "epsilon_text": "1/5"]
      }
      try run.put("long.json", good, model("name", .string(String(repeating: "a", count: 5000))))
      try run.put("where.json", good, model("checkpoint", "somewhere"))
      try run.put("gone.json", good, model("checkpoint", "epoch 9"))
      // The weights of epoch 2 in the name of epoch 3.
      try run.put("theirs.json", run.measured(2), model("checkpoint", "epoch 3"))
      try run.put("twin.json", good)
      let huge = run.evaluations.appending(path: "huge.json")
      try Data().write(to: huge)
      let handle = try FileHandle(forWritingTo: huge)
      try handle.truncate(atOffset: 1 << 40)
      try handle.close()
      #expect(mkfifo(run.evaluations.appending(path: "pipe.json").path, 0o600) == 0)
      let manager = FileManager.default
      try manager.createSymbolicLink(
        at: run.evaluations.appending(path: "link.json"), withDestinationURL: huge)
      try manager.createDirectory(
        at: run.evaluations.appending(path: "folder.json"), withIntermediateDirectories: false)
      for silent in ["0123.state", ".hidden"] {
        try manager.createDirectory(
          at: run.evaluations.appending(path: silent), withIntermediateDirectories: false)
      }
      run.listen()
      run.train()
      let expected = [
        "garbage": "line 1", "note.txt": "line 1", "better": "said to be 0.9",
        "more": "of 20 images",
        "settings": "has the hash", "clean": "no share", "count": "9223372036854775807 images",
        "ball": "no ball", "long": "longer than", "where": "no epoch", "gone": "epoch-0009",
        "theirs": "other weights", "twin": "repeats", "huge": "huge.json", "pipe": "no plain file",
        "link": "no plain file", "folder": "no plain file",
      ]
      for (name, reason) in expected {
        let notes = run.said.filter { $0.contains("evaluations/\(name)") }
        #expect(notes.count == 1 && notes.allSatisfy { $0.contains(reason) }, "\(name): \(notes)")
      }
      #expect(run.said.count == expected.count, "\(run.said)")
      // Only what the training says of itself is new.
      let table = { (card: String) in card.split(separator: "\n").filter { $0.hasPrefix("| ") } }
      #expect(try table(run.card()) == table(before) && table(before).count == 4)
    }
  }

  /// Texts of a file change neither the table nor the page, and no command can carry them.
  @Test func textsAreShownAsTheyAreAndNeverRun() throws {
    try CardRun.with(name: "a`b $(x)") { run in
      var report = try run.measured(title: "X | <img src=x>\n# **y**\u{202E}")
      report.attacks[1].name = "pgd-2;rm -rf /"
      report = try EvaluationReport(
        dataset: report.dataset, model: report.model,
        threat: ThreatModel(epsilon: Fraction(8, over: 255)), cleanAccuracy: report.cleanAccuracy,
        attacks: report.attacks, seed: 0)
      run.evaluate(report)
      let card = try run.card()
      #expect(card.contains("X \\| \\<img src=x\\> \\# \\*\\*y\\*\\* "), "\(card)")
      let page = try #require(card.components(separatedBy: "---\n\n# ").last)
      #expect(page.replacing("\\<", with: "").contains("<") == false)
      #expect(!card.contains("\u{202E}"))
      let shell = try #require(card.components(separatedBy: "```sh\n").last)
      #expect(!shell.contains("rm -rf") && !shell.contains("$(x)"), "\(shell)")
      #expect(shell.contains("train again by RUN/config.yaml into RUN\n"))
      #expect(shell.contains("no command line gives"))
      let yaml = try frontMatter(card)
      #expect(yaml["model-index"]?.arrayValue?[0]["name"] == "a`b $(x)")
      #expect(ShellText.shown("it's") == "it's" && ShellText.shown("-rf") == "RUN")
    }
  }
}
