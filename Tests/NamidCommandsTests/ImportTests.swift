import Foundation
import NamidTestSupport
import NamidTorch
import Testing

/// `namid import`.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct ImportTests {
  @Test func weightsFromElsewhereBecomeARun() throws {
    try EvaluationRuns.with { folder in
      let weights = "run/checkpoints/latest/model.safetensors"
      let size = try EvaluationRuns.json(folder.appending(path: "run/specification.json"))
      let image = ["channels", "imageHeight", "imageWidth"]
        .map { "\(size[$0]?.intValue ?? 0)" }.joined(separator: "x")
      let classes = "\(size["classCount"]?.intValue ?? 0)"
      let arguments = [
        "import", weights, "--model", "small-cnn", "--classes", classes, "--image", image,
        "--dataset", "folder:images",
      ]
      let outcome = try Tool.run(arguments + ["--width", "2", "--out", "theirs"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let read = { (path: String) in try Weights.read(folder.appending(path: path)) }
      let (given, taken) = (
        try read(weights), try read("theirs/checkpoints/latest/model.safetensors")
      )
      #expect(given.keys.sorted() == taken.keys.sorted())
      for (name, tensor) in given {
        #expect(taken[name].map { ($0 .== tensor).all().bools() } == [true], "\(name)")
      }
      let measured = try Tool.run(["evaluate", "theirs", "--attack", "clean,pgd-2"], in: folder)
      #expect(measured.status == 0 && measured.output.contains("pgd-2"), "\(measured.errors)")

      let again = try Tool.run(arguments + ["--width", "2", "--out", "theirs"], in: folder)
      #expect(again.status != 0 && again.errors.contains("theirs"), "\(again.errors)")
      let wide = try Tool.run(arguments + ["--width", "3", "--out", "wide"], in: folder)
      #expect(wide.status != 0 && wide.errors.contains("does not fit"), "\(wide.errors)")
      #expect(
        !FileManager.default.fileExists(atPath: folder.appending(path: "wide").path))
    }
  }
}
