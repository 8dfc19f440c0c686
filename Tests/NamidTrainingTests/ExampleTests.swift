import Foundation
import NamidFiles
import NamidTestSupport
import Testing

/// A package of somebody else's, compiled with the tests against public declarations alone: its attack, defense,
/// network and data set in every verb.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct ExampleTests {
  private func run(_ words: String, in folder: URL) throws -> Tool.Outcome {
    try Tool.run(words.split(separator: " ").map(String.init), in: folder, of: "OwnParts")
  }

  private static let training =
    "train --defense mixed --model tiny-bn --dataset stripes --out run --epochs 1 --threads 1"
    + " --epsilon 4/255 --set data.validation=0 --set model.width=4 --set mixed.natural=0.3"
    + " --set training.batchSize=32 --set training.precision=float32 --set attack.steps=2"

  @Test func ownPartsAreTrainedMeasuredAndReported() throws {
    try withTemporaryFolder { folder in
      let listed = try run("attacks", in: folder)
      #expect(listed.output.contains("random-points-POINTS"), "\(listed.output)")
      let help = try run("train --help", in: folder)
      #expect(help.output.contains("mixed: natural and attacked images at once"))
      #expect(help.output.contains("tiny-bn"))
      #expect(try run("data info", in: folder).output.contains("stripes: Stripes"))

      let trained = try run(Self.training, in: folder)
      #expect(trained.status == 0, "\(trained.errors)")
      #expect(trained.errors.contains("mixed training of tiny-bn (width 4"), "\(trained.errors)")
      #expect(trained.errors.contains("on 64 images of Stripes"), "\(trained.errors)")
      #expect(trained.errors.contains(" ce_adv "), "\(trained.errors)")
      let config = try String(
        contentsOf: folder.appending(path: "run/config.yaml"), encoding: .utf8)
      #expect(config.contains("defense: mixed") && config.contains("mixed:\n  natural: 0.3"))
      // A second run into the same folder is refused as any other.
      let again = try run(Self.training, in: folder)
      #expect(again.status == 1 && again.errors.contains("already holds a run"))

      let measured = try run(
        "evaluate run --attack clean,random-points-7,pgd-5 --json out.json --threads 1", in: folder)
      #expect(measured.status == 0, "\(measured.errors)")
      let figures = try JSONValue(parsing: Data(contentsOf: folder.appending(path: "out.json")))
      let attacks = try #require(figures["attacks"]?.arrayValue)
      #expect(attacks.map { $0["name"] } == ["clean", "random-points-7", "pgd-5"])
      #expect(attacks[1]["settings"] == ["points": 7])
      let card = try String(contentsOf: folder.appending(path: "run/README.md"), encoding: .utf8)
      for text in ["Stripes", "tiny-bn", "random-points-7", "Goodfellow"] {
        #expect(card.contains(text), "\(card)")
      }
      let page = try run("report run --out page.html", in: folder)
      #expect(page.status == 0, "\(page.errors)")
      let html = try String(contentsOf: folder.appending(path: "page.html"), encoding: .utf8)
      #expect(html.contains("random-points-7") && html.contains("mixed"))
      // Mistakes are answered with the names that there are.
      let wrong = try run("evaluate run --attack random-point-7", in: folder)
      #expect(wrong.errors.contains("did you mean \"random-points\""), "\(wrong.errors)")
    }
  }

  /// The recipe that the example comes with.
  @Test func ownPartsMakeATable() throws {
    try withTemporaryFolder { folder in
      let recipe = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Examples/OwnParts/stripes.yaml")
      try FileManager.default.copyItem(at: recipe, to: folder.appending(path: "stripes.yaml"))
      let made = try run("reproduce stripes.yaml --out out --threads 1", in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let tables = try String(contentsOf: folder.appending(path: "out/tables.md"), encoding: .utf8)
      for text in ["random points", "mixed", "standard"] { #expect(tables.contains(text)) }
      let results = try JSONValue(
        parsing: Data(contentsOf: folder.appending(path: "out/results.json")))
      let rows = results["tables"]?.arrayValue?[0]["parts"]?.arrayValue?[0]["rows"]?.arrayValue
      let cells = (rows ?? []).flatMap { $0["cells"]?.arrayValue ?? [] }
      #expect(cells.count == 6 && cells.allSatisfy { $0["state"] == "measured" })
    }
  }
}
