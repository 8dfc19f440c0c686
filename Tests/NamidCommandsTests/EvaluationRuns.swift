import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

/// Small trained networks for tests of the verbs that attack them.
enum EvaluationRuns {
  /// Trains networks within a second each, on small images, in a new folder that is gone afterwards.
  static func with(_ names: [String] = ["run"], _ body: (URL) throws -> Void) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    try SyntheticImages.write(to: folder.appending(path: "images"))
    for (place, name) in names.enumerated() {
      let settings = [
        "model.width=2", "data.validation=12", "training.batchSize=8", "training.averageDecay=0.9",
        "optimizer.learningRate=0.05", "data.augmentation.cropPadding=1", "seed=\(place)",
      ]
      let outcome = try Tool.run(
        [
          "train", "--out", name, "--defense", "natural", "--dataset", "folder:images", "--model",
          "small-cnn", "--epsilon", "1/20", "--epochs", "2",
        ] + settings.flatMap { ["--set", $0] }, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    try body(folder)
  }

  static func json(_ file: URL) throws -> JSONValue {
    try JSONValue(parsing: Data(contentsOf: file))
  }

  /// JSON text without the lines that depend on the clock.
  static func timeless(_ file: URL) throws -> String {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .filter { !$0.contains("\"seconds\"") }.joined(separator: "\n")
  }
}
