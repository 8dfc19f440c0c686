import ArgumentParser
import Foundation
import NamidData
import NamidEvaluation
import NamidFiles
import NamidSettings
import NamidTorch

/// The destination of figures and images.
struct EvaluationOutput: ParsableArguments {
  @OptionGroup var figures: FigureOutput
  @Option(help: .init("Write attacked images (safetensors).", valueName: "file"))
  var saveAdversarial: String?

  /// Throws when a file could not be written in the end: better now than after hours.
  func check() throws {
    try figures.check()
    if let saveAdversarial { try checkWritable(saveAdversarial) }
  }

  /// Writes what was asked for and prints the rest; then the state has served its turn.
  func report(_ measurement: RobustnessMeasurement, _ set: ImageSet) throws {
    if let saveAdversarial {
      try AttackedImageFile.write(measurement, set, to: URL(filePath: saveAdversarial))
    }
    try figures.write(measurement.report, asText: EvaluationText(report: measurement.report).text)
    measurement.state?.finish()
  }
}

/// Attacked images with their labels and verdicts in one safetensors file.
enum AttackedImageFile {
  /// Writes `labels`, `indices`, and `NAME.images`, `NAME.robust` and perhaps `NAME.distances` of every attack.
  static func write(
    _ measurement: RobustnessMeasurement, _ set: ImageSet, to url: URL
  ) throws {
    var tensors = [
      (name: "labels", tensor: Tensor(set.labels, shape: [set.count])),
      (name: "indices", tensor: Tensor(set.indices, shape: [set.count])),
    ]
    for (name, outcome) in zip(names(measurement.outcomes), measurement.outcomes) {
      if let images = outcome.images { tensors.append(("\(name).images", images)) }
      let robust = Tensor(outcome.isRobust.map { $0 ? UInt8(1) : 0 }, shape: [set.count])
      tensors.append(("\(name).robust", robust))
      if let distances = outcome.distances {
        tensors.append(("\(name).distances", Tensor(distances, shape: [set.count])))
      }
    }
    try Weights.write(
      tensors, metadata: ["spec_hash": measurement.report.specificationHash], to: url)
  }

  private static func names(_ outcomes: [Evaluator.Outcome]) -> [String] {
    AttackReport.distinctNames(outcomes.map(\.report.name))
  }
}
