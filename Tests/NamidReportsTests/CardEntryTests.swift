import Foundation
import NamidAttacks
import NamidEvaluation
import NamidFiles
import NamidSettings
import NamidTestSupport
import NamidTraining
import Testing

@testable import NamidReports

/// The line for a leaderboard, and files of somebody else.
extension CardTests {
  // MARK: The leaderboard's line

  @Test func autoAttackStandsInTheLineWithTheNumberOfItsImages() throws {
    try CardRun.with { run in
      let report = try run.report(clean: 618, attacks: [("pgd-20", 450), ("autoattack", 432)])
      run.evaluate(report)
      let entry = try run.entry()
      #expect(
        entry.objectValue?.keys == [
          "link", "name", "authors", "additional_data", "number_forward_passes", "dataset", "venue",
          "architecture", "eps", "clean_acc", "reported", "autoattack_acc", "namid",
        ])
      #expect(entry["clean_acc"] == "61.80" && entry["autoattack_acc"] == "43.20")
      #expect(entry["eps"] == "8/255" && entry["dataset"] == "cifar10")
      #expect(entry["additional_data"] == false && entry["number_forward_passes"] == 1)
      let own = try #require(entry["namid"])
      #expect(own["checkpoint"] == "epoch 3" && own["data"] == "CIFAR-10 (JPEG copy)")
      #expect(own["test_images"] == 1000 && own["test_images_of"] == 10000)
      #expect(own["threat"] == "Linf" && own["autoattack"]?["robust"] == 432)
      #expect(own["spec_hash"]?.stringValue == report.specificationHash)
      #expect(own["autoattack"]?["settings"]?["queries"] == 5000)
      #expect(
        try run.card().contains("AutoAttack was measured on 1,000 of 10,000 test images only"))
    }
  }

  @Test func onlyTheStandardAutoAttackInTheRunsOwnBallCounts() throws {
    try CardRun.with { run in
      let ball = ThreatModel(norm: .l2, epsilon: 0.5)
      let others = [
        try run.report(clean: 600, attacks: [("autoattack:steps=50", 1)]),
        try run.report(clean: 600, attacks: [("autoattack:queries=100", 2)]),
        try run.report(clean: 600, attacks: [("autoattack:version=rand", 3)]),
        try run.report(clean: 600, attacks: [("autoattack", 4)], threat: ball),
        try run.report(split: "train", clean: 600, attacks: [("autoattack", 5)]),
        try run.report(title: "Else", clean: 600, attacks: [("autoattack", 6)]),
      ]
      for report in others { run.evaluate(report) }
      var transfer = try run.report(clean: 600, attacks: [("autoattack", 7)])
      transfer = try EvaluationReport(
        dataset: transfer.dataset, model: transfer.model, source: transfer.model,
        threat: ThreatModel(epsilon: Fraction(8, over: 255)), cleanAccuracy: 0.6,
        attacks: transfer.attacks, seed: 0)
      run.evaluate(transfer)
      #expect(run.said == [])
      let entry = try run.entry()
      #expect(entry["autoattack_acc"] == .null && entry["clean_acc"] == "60.00")
      #expect(entry["namid"]?["autoattack"] == .null)
      #expect(entry["namid"]?["all_spec_hashes"]?.arrayValue?.count == 7)
      #expect(try run.card().contains("images made on small-cnn, epoch 3"))
    }
  }

  /// The checkpoint is not chosen by what came out on test images.
  @Test func theLineIsAboutTheCheckpointThatValidationChose() throws {
    try CardRun.with { run in
      let figures = { (run: CardRun) in try run.entry()["autoattack_acc"]?.stringValue }
      run.evaluate(try run.report(1, clean: 900, attacks: [("autoattack", 800)]))
      #expect(try figures(run) == "80.00")
      run.evaluate(try run.report(3, clean: 600, attacks: [("autoattack", 500)]))
      #expect(try figures(run) == "50.00")
      run.evaluate(try run.report(2, clean: 500, attacks: [("pgd-20", 400)]))
      #expect(try figures(run) == "50.00")
      run.evaluate(try run.report(2, clean: 500, attacks: [("autoattack", 300)]))
      #expect(try figures(run) == "30.00")
      run.evaluate(try run.report(2, clean: 500, attacks: [("autoattack", 290)], seed: 1))
      #expect(try figures(run) == "29.00")
      run.evaluate(
        try run.report(2, images: 10_000, clean: 5500, attacks: [("autoattack", 3333)]))
      #expect(try figures(run) == "33.33")
      #expect(try run.entry()["namid"]?["checkpoint"] == "epoch 2")
      #expect(try !run.card().contains("AutoAttack was measured on"))
    }
  }

  // MARK: What belongs to somebody else

  @Test func aReadMeOfSomebodyElseIsNeverTouched() throws {
    try CardRun.with { run in
      let theirs = Data("---\n# Written by me\n---\nMy notes.\n".utf8)
      try theirs.write(to: run.cardFile)
      try Data("{\"clean_acc\": \"99.99\"}".utf8).write(to: run.entryFile)
      run.train()
      #expect(run.said.count == 2, "\(run.said)")
      #expect(run.said[0].contains("README.md stays as it is: namid has not written it"))
      #expect(run.said[1].contains("robustbench.json stays as it is"))
      #expect(try Data(contentsOf: run.cardFile) == theirs)
      #expect(try run.entry()["clean_acc"] == "99.99" && run.entry()["namid"] == nil)
      // A link to somebody's file, and a folder.
      let manager = FileManager.default
      let mine = run.folder.appending(path: "mine.md")
      try manager.moveItem(at: run.cardFile, to: mine)
      try manager.createSymbolicLink(at: run.cardFile, withDestinationURL: mine)
      run.train()
      #expect(FileKind(of: run.cardFile, followingLinks: false) == .link)
      #expect(try Data(contentsOf: mine) == theirs)
      try manager.removeItem(at: run.cardFile)
      try manager.createDirectory(at: run.cardFile, withIntermediateDirectories: false)
      run.train()
      #expect(FileKind(of: run.cardFile, followingLinks: false) == .folder)
      try manager.removeItem(at: run.cardFile)
      run.train()
      #expect(try run.card().contains("# at: small-cnn"))
    }
  }

  @Test func aCardThatWasChangedByHandStays() throws {
    try CardRun.with { run in
      run.train()
      let own = try run.card()
      run.evaluate(try run.measured())
      let second = try run.card()
      #expect(second != own && run.said == [])
      let changed = second.replacing("## Limits", with: "## My limits")
      try changed.write(to: run.cardFile, atomically: true, encoding: .utf8)
      run.train()
      #expect(try run.card() == changed)
      #expect(run.said.count == 1 && run.said[0].contains("changed by hand"), "\(run.said)")
      // The line without which it is nobody's.
      let unmarked = second.split(separator: "\n", maxSplits: 3, omittingEmptySubsequences: false)
      let taken = "---\n" + unmarked[3]
      try taken.write(to: run.cardFile, atomically: true, encoding: .utf8)
      run.train()
      #expect(try run.card() == taken)
    }
  }

  @Test func whatWasFilledInByHandStaysInTheLineAndFiguresDoNot() throws {
    try CardRun.with { run in
      run.train()
      var tree = try #require(try run.entry().objectValue)
      tree["authors"] = "A. Person"
      tree["link"] = "https://example.org"
      tree["autoattack_acc"] = "88.88"
      tree["clean_acc"] = "99.99"
      tree["venue"] = .string(String(repeating: "x", count: 10_000))
      try JSONValue.object(tree).data().write(to: run.entryFile)
      run.evaluate(try run.report(clean: 600, attacks: [("pgd-20", 400)]))
      let entry = try run.entry()
      #expect(entry["authors"] == "A. Person" && entry["link"] == "https://example.org")
      #expect(entry["venue"] == .null)
      #expect(entry["autoattack_acc"] == .null && entry["clean_acc"] == "60.00")
    }
  }

  @Test func aFolderThatIsNoRunIsANote() throws {
    try withTemporaryFolder { folder in
      var said: [String] = []
      RunCard.write(
        afterTraining: folder, summary: "", parameters: 1, texts: PlainTexts()
      ) { said.append($0) }
      #expect(said.count == 1 && said[0].contains("no model card"), "\(said)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left == [])
    }
    try CardRun.with { run in
      try Data("{}\n{}\n".utf8).write(to: run.folder.appending(path: "metrics.jsonl"))
      run.train()
      #expect(run.said.count == 1 && run.said[0].contains("without figures"), "\(run.said)")
      #expect(try run.card().contains("3 of 3 epochs"))
    }
  }
}
