import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

/// `namid attack`, `namid attacks` and `namid transfer`.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct AttackCommandTests {
  @Test(arguments: ["attack", "attacks", "transfer"])
  func everyVerbExplainsItself(verb: String) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let outcome = try Tool.run([verb, "--help"], in: folder)
    expectSuccess(outcome)
    #expect(outcome.output.contains("USAGE: namid \(verb)"), "\(outcome.output)")
    #expect(outcome.output.contains("  namid \(verb) "), "\(outcome.output)")
  }

  @Test func whatIsMissingIsNamed() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let mistakes: [(arguments: [String], said: String)] = [
      (["attack", "run"], "--out"), (["attack", "--out", "a"], "<run>"),
      (["transfer", "--target", "run"], "--surrogate"),
      (["transfer", "--surrogate", "run"], "--target"),
      (["attack", "nowhere", "--out", "a", "--goal", "win"], "win"),
      (["attack", "nowhere", "--out", "a"], "nowhere is not a run's folder"),
      (["attack", "nowhere", "--out", "b/a"], "does not exist"),
      (["attack", "nowhere", "--out", "a", "--png", "b/a"], "does not exist"),
      (["attack", "nowhere", "--out", "a", "--limit", "0"], "--limit must be at least 1"),
    ]
    for (arguments, said) in mistakes {
      let outcome = try Tool.run(arguments, in: folder)
      #expect(outcome.status != 0 && outcome.output == "", "\(arguments)")
      #expect(outcome.errors.contains(said), "\(outcome.errors)")
    }
    #expect(try sortedNames(in: folder) == [])
  }

  @Test func attacksAreListedWithWhatTheyAreByDefault() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let outcome = try Tool.run(["attacks"], in: folder)
    expectSuccess(outcome)
    for text in ["clean", "pgd-STEPS", "linf l2", "Madry et al., ICLR 2018", "restarts=1"] {
      #expect(outcome.output.contains(text), "\(outcome.output)")
    }
    let list = try Tool.run(["attacks", "--json"], in: folder)
    expectSuccess(list)
    let entries = try #require(try JSONValue(parsing: Data(list.output.utf8)).arrayValue)
    #expect(Set(entries.map { $0["name"]?.stringValue }).count == entries.count)
    for entry in entries {
      #expect(entry["summary"]?.stringValue?.isEmpty == false)
      #expect(entry["source"]?.stringValue?.isEmpty == false)
      #expect(entry["norms"]?.arrayValue?.isEmpty == false)
      let name = entry["name"]?.stringValue ?? ""
      if name != "clean" { #expect(entry["defaults"]?.objectValue?.isEmpty == false, "\(name)") }
    }
    let pgd = entries.first { $0["name"]?.stringValue == "pgd-STEPS" }
    #expect(pgd?["number"]?.stringValue == "steps")
    #expect(pgd?["defaults"]?["steps"] == 40)
  }

  @Test func attackedImagesAreWritten() throws {
    try EvaluationRuns.with { folder in
      let outcome = try Tool.run(
        [
          "attack", "run", "--attack", "pgd-5:start=uniform", "--limit", "24", "--out",
          "fool.safetensors", "--png", "grid.png",
        ], in: folder)
      expectSuccess(outcome)
      #expect(outcome.output.contains("pgd-5"))
      let strongest = try Tool.run(
        [
          "attack", "run", "--attack", "pgd-5:start=uniform", "--limit", "24", "--goal",
          "strongest", "--out", "strongest.safetensors",
        ], in: folder)
      expectSuccess(strongest)
      let fool = try Weights.read(folder.appending(path: "fool.safetensors"))
      let strong = try Weights.read(folder.appending(path: "strongest.safetensors"))
      for tensors in [fool, strong] {
        #expect(tensors.keys.sorted() == ["indices", "labels", "pgd-5.images", "pgd-5.robust"])
        #expect(tensors["pgd-5.images"]?.shape == [24, 3, 12, 12])
        #expect(tensors["indices"]?.shape == [24])
      }
      let images = try [fool, strong].map { try #require($0["pgd-5.images"]).floats() }
      #expect(images[0] != images[1])
      #expect(images.allSatisfy { $0.allSatisfy { (0...1).contains($0) } })
      // Ten columns and three rows (unattacked, attacked, change) of 12 pixels with gaps of 2.
      let png = try Data(contentsOf: folder.appending(path: "grid.png"))
      #expect(png.prefix(4) == Data([0x89, 0x50, 0x4e, 0x47]))
      #expect(Array(png[16..<24]) == [0, 0, 0, 138, 0, 0, 0, 40])
      #expect(try sortedNames(in: folder.appending(path: "run")).contains("evaluations") == false)
    }
  }

  @Test func imagesOfOneNetworkAreJudgedByAnother() throws {
    try EvaluationRuns.with(["surrogate", "target"]) { folder in
      let arguments = [
        "transfer", "--surrogate", "surrogate", "--target", "target", "--attack",
        "clean,pgd-5:start=uniform",
      ]
      let outcome = try Tool.run(arguments + ["--json", "transfer.json"], in: folder)
      expectSuccess(outcome)
      #expect(outcome.output.contains("images made on surrogate, epoch 2"), "\(outcome.output)")
      #expect(outcome.output.contains("of those right clean"))
      let report = try EvaluationRuns.json(folder.appending(path: "transfer.json"))
      #expect(report["model"]?["name"]?.stringValue == "target")
      #expect(report["source"]?["name"]?.stringValue == "surrogate")
      #expect(report["source"]?["fingerprint"] != report["model"]?["fingerprint"])
      let attack = try #require(report["attacks"]?.arrayValue?.last)
      let right = try #require(attack["clean_right"])
      #expect(right["total"]?.intValue == report["attacks"]?.arrayValue?[0]["robust"]?.intValue)
      // Every image gets the whole budget: six passes of the attack and its unattacked one, and two of the target.
      #expect(attack["forwards"]?.intValue == 60 * 9)
      #expect(
        try sortedNames(in: folder.appending(path: "target")).contains("evaluations") == false)
      let white = try Tool.run(
        ["evaluate", "target", "--attack", "clean,pgd-5:start=uniform", "--json", "-"], in: folder)
      let plain = try JSONValue(parsing: Data(white.output.utf8))
      #expect(plain["source"] == .null)
      #expect(plain["spec_hash"] != report["spec_hash"])
      #expect(plain["clean_accuracy"] == report["clean_accuracy"])
    }
  }
}
