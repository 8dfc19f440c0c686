import Foundation
import NamidAttacks
import NamidData
import NamidFiles
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidTraining

/// A training run of a second that has everything in it that a resume must restore.
struct TinyRun: Codable, Sendable {
  var configuration = RunConfiguration()
  /// The run's folder.
  var folder: URL

  /// A run below a folder that also gets the images.
  ///
  /// Twenty batches in an epoch, so that there is a middle to be killed in; `isShort` makes it one epoch of three.
  init(
    _ name: String = "run", in root: URL, defense: DefenseName = .standard, isShort: Bool = false
  ) throws {
    folder = root.appending(path: name)
    configuration.data = try Self.data(in: root, train: isShort ? 36 : 192)
    configuration.model.architecture = "small-cnn"
    configuration.model.width = 2
    configuration.threat.epsilon = Fraction(1, over: 10)
    configuration.attack.steps = 2
    configuration.defense = defense
    configuration.optimizer.learningRate = 0.05
    configuration.schedule.kind = .oneCycle
    configuration.training.epochs = isShort ? 1 : 3
    configuration.training.batchSize = 8
    configuration.training.averageDecay = 0.9
    configuration.training.validationSteps = 2
  }

  static func data(in root: URL, train: Int) throws -> DataSettings {
    let images = root.appending(path: "images")
    if !FileManager.default.fileExists(atPath: images.path) {
      try SyntheticImages.write(to: images, train: train, test: 0)
    }
    var settings = DataSettings()
    settings.name = "folder:\(images.path)"
    settings.validation = train / 6
    settings.augmentation = Augmentation(cropPadding: 1, flip: false)
    return settings
  }

  /// Trains all epochs that are missing.
  func train(
    resume: Bool = false, device: Device = .cpu, report: (TrainingEvent) -> Void = { _ in }
  ) throws {
    try withOneThread {
      try TrainingRun(configuration, in: folder, data: folder, resume: resume, device: device)
        .fit(report)
    }
  }

  var checkpoints: CheckpointFolder { CheckpointFolder(run: folder) }
}

/// Training of estimators that takes a second, on the logits of a run that is trained first.
struct TinyEstimatorRun: Codable, Sendable {
  var configuration = EstimatorConfiguration()
  /// The run's folder.
  var folder: URL

  /// A run below a folder that also gets the images and the run of the network.
  init(_ name: String = "estimators", in root: URL, isShort: Bool = false) throws {
    folder = root.appending(path: name)
    let target = try TinyRun("target", in: root, defense: .natural, isShort: isShort)
    if target.checkpoints.isEmpty { try target.train() }
    configuration.target = target.folder.path
    configuration.data = target.configuration.data
    configuration.threat.epsilon = Fraction(1, over: 5)
    configuration.attack.steps = 4
    configuration.units = 8
    configuration.epochs = isShort ? 1 : 3
    configuration.batchSize = 16
    configuration.milestones = [1]
  }

  /// Trains all epochs that are missing.
  func train(resume: Bool = false, report: (TrainingEvent) -> Void = { _ in }) throws {
    try withOneThread {
      try EstimatorRun(configuration, in: folder, data: folder, resume: resume).fit(report)
    }
  }

  var checkpoints: CheckpointFolder { CheckpointFolder(run: folder) }
}

/// Dies as if killed once an epoch (from 1) has done some batches.
func die(inEpoch epoch: Int, afterBatch batch: Int) -> (TrainingEvent) -> Void {
  { event in
    if case .progress(epoch, _, batch, _, _) = event { kill(getpid(), SIGKILL) }
  }
}

/// The lines of a run's metrics without the wall time.
func metrics(of run: URL) throws -> [JSONObject] {
  try MetricsFile.read(run.appending(path: "metrics.jsonl")).map { line in
    var line = line
    line["seconds"] = nil
    return line
  }
}

/// Records a failure unless two runs have the same checkpoints, bit for bit, and the same metrics.
func expectSameRun(
  _ run: URL, _ other: URL, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let files = try [run, other].map { try snapshot(of: $0.appending(path: "checkpoints")) }
  let all = Set(files[0].keys).union(files[1].keys)
  #expect(
    all.filter { files[0][$0] != files[1][$0] }.sorted() == [], sourceLocation: sourceLocation)
  #expect(try metrics(of: run) == metrics(of: other), sourceLocation: sourceLocation)
  for name in [RunFolder.configurationFile, RunFolder.specificationFile] {
    #expect(
      try Data(contentsOf: run.appending(path: name))
        == Data(contentsOf: other.appending(path: name)), sourceLocation: sourceLocation)
  }
}
