import Foundation
import Records

/// Where a run keeps its configuration, metrics and checkpoints.
public final class RunFolder {
  /// The file of a checkpoint with the network's weights.
  public static let weightsFile = "model.safetensors"
  /// The file of a checkpoint with the optimizer's state.
  public static let optimizerFile = "optimizer.safetensors"
  /// The file of a checkpoint with averaged weights.
  public static let averageFile = "average.safetensors"
  /// The file with the resolved configuration.
  public static let configurationFile = "config.yaml"

  /// The folder.
  public let url: URL
  /// Its checkpoints.
  public let checkpoints: CheckpointFolder
  /// Whether a run was there and goes on.
  public let isResumed: Bool
  private let metrics: MetricsFile
  private let events: EventFile

  /// Makes a new run folder, or opens one to continue it.
  ///
  /// - Parameters:
  ///   - url: The folder.
  ///   - configuration: The resolved configuration, written as text.
  ///   - specification: What is trained, written as JSON.
  ///   - resume: Whether a run that is there goes on; without one a new run begins.
  /// - Throws: `CheckpointError.runExists` when there is a run and `resume` is false.
  public init(
    _ url: URL, configuration: String, specification: some Encodable, resume: Bool
  ) throws {
    self.url = url
    checkpoints = CheckpointFolder(run: url)
    isResumed = resume && !checkpoints.isEmpty
    if !resume && !checkpoints.isEmpty { throw CheckpointError.runExists(url.path) }
    try createFolder(at: url)
    let step = isResumed ? try checkpoints.state(.latest).step : nil
    if step == nil {
      // What an interrupted first epoch left is not worth keeping: no checkpoint goes with it.
      try? FileManager.default.removeItem(at: url.appending(path: "metrics.jsonl"))
      try AtomicFile.write(
        Data(configuration.utf8), to: url.appending(path: Self.configurationFile))
      try AtomicFile.write(
        try JSONValue(encoding: specification).data(indent: 2),
        to: url.appending(path: RunFiles.specificationName))
    }
    metrics = try MetricsFile(url: url.appending(path: "metrics.jsonl"), resumingAfter: step)
    events = try EventFile(folder: url, resumingAfter: step)
  }

  /// Writes an epoch's figures to `metrics.jsonl` and to the TensorBoard file.
  public func log(_ record: EpochRecord) throws {
    var line: JSONObject = [
      "epoch": .int(record.epoch), "learning_rate": .double(record.learningRate),
      "seconds": .double(record.seconds),
    ]
    var scalars = [(tag: "learning_rate", value: record.learningRate)]
    for (group, terms) in [("train", record.terms), ("validation", record.validation)] {
      for (name, value) in terms {
        line["\(group)/\(name)"] = .double(value)
        scalars.append(("\(group)/\(name)", value))
      }
    }
    try metrics.append(step: record.step, line)
    try metrics.synchronize()
    try events.append(step: record.step, scalars)
  }
}
