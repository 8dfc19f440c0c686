import ArgumentParser
import Datasets
import Evaluation
import Foundation
import Records
import Torch

/// Where figures and images go.
struct EvaluationOutput: ParsableArguments {
  @Option(
    help: ArgumentHelp("Write the figures as JSON; - for standard output.", valueName: "file"))
  var json: String?
  @Option(help: ArgumentHelp("Write attacked images (safetensors).", valueName: "file"))
  var saveAdversarial: String?

  /// Throws when a file could not be written in the end: better now than after hours.
  func check() throws {
    if let json, json != "-" { try checkWritable(json) }
    if let saveAdversarial { try checkWritable(saveAdversarial) }
  }

  /// Writes what was asked for and prints the rest; then the state has served its turn.
  func report(_ measurement: RobustnessMeasurement, _ set: ImageSet) throws {
    if let saveAdversarial {
      try AttackedImageFile.write(measurement, set, to: URL(filePath: saveAdversarial))
    }
    try write(measurement.report, asText: EvaluationText(measurement.report).text)
    measurement.state?.finish()
  }

  /// Writes figures as JSON where they are asked for, and prints them for people unless both go to one place.
  func write(_ figures: some Encodable, asText text: String) throws {
    if let json {
      let data = try JSONValue(encoding: figures).data(indent: 2) + Data("\n".utf8)
      if json == "-" {
        FileHandle.standardOutput.write(data)
      } else {
        try AtomicFile.write(data, to: URL(filePath: json))
      }
    }
    if json != "-" { print(text, terminator: "") }
  }
}

/// Throws what stands in the way of writing a file.
func checkWritable(_ path: String) throws(FileError) {
  let manager = FileManager.default
  var isFolder: ObjCBool = false
  if manager.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
    throw .isAFolder(action: .write, path: path)
  }
  let parent = URL(filePath: path).deletingLastPathComponent().path
  let folder = parent.isEmpty ? "." : parent
  guard manager.fileExists(atPath: folder, isDirectory: &isFolder) else {
    throw .missing(action: .create, path: path, firstMissing: folder)
  }
  if !isFolder.boolValue { throw .notAFolder(path: path, obstacle: folder) }
  if !manager.isWritableFile(atPath: folder) {
    throw .permissionDenied(action: .create, path: path)
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
    AttackReport.distinctNames(outcomes.map(\.report))
  }
}
