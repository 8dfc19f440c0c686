import Foundation
import NamidEvaluation
import NamidFiles
import NamidTraining

/// A record of a finished step.
package struct StepRecord: Codable, Hashable, Sendable {
  /// The step.
  package var id: String
  /// The step's kind.
  package var kind: String
  /// A description of the step for people.
  package var title: String
  /// Its command line, with paths relative to the experiment's folder.
  package var command: String
  /// The step's folder, relative to the experiment's.
  package var folder: String
  /// The time at which it ended, in UTC.
  package var finished: String
  /// Seconds over all attempts of the last call; 0 where figures were taken over.
  package var seconds: Double
  /// The most memory that it took; nil where that is not known.
  package var peakMemory: Int?
  /// The step whose figures are this one's, because the best epoch is the last.
  package var sameAs: String?
  /// SHA-256 of its figures; nil for trainings.
  package var digest: String?
  /// Bytes of a training's last and best checkpoint, by which a copy that was cut short is noticed; nil for figures.
  package var bytes: Int?

  enum CodingKeys: String, CodingKey {
    case id, kind, title, command, folder, finished, seconds, digest, bytes
    case peakMemory = "peak_memory"
    case sameAs = "same_as"
  }
}

/// The folder of an experiment, with one folder per step.
///
/// A step counts as finished when its marker is there, which is written aside, forced onto the disk and renamed
/// after everything else, and when what it says it has left is still there.
package struct StepStore: Sendable {
  private static let markerName = "done.json"
  private static let requestName = "request.json"
  private static let maximumBytes = 1 << 30

  /// The experiment's folder.
  package let root: URL

  /// A folder, made by the first step.
  package init(_ root: URL) {
    self.root = root
  }

  /// The folder of a step.
  package func folder(of step: String) -> URL {
    root.appending(path: ExperimentStep.folderName).appending(path: step)
  }

  /// The file with what a step printed.
  package func log(of step: String) -> URL { folder(of: step).appending(path: "log.txt") }

  /// Finds the run's folder or the figures that a step leaves.
  package func product(of step: ExperimentStep) -> URL {
    folder(of: step.id).appending(path: step.kind.product)
  }

  /// The file with a step as a value.
  package func request(of step: String) -> URL {
    folder(of: step).appending(path: Self.requestName)
  }

  /// True where an earlier version has begun steps, whose names are other ones.
  package var isOfEarlierFormat: Bool {
    let steps = root.appending(path: ExperimentStep.folderName)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: steps.path)) ?? []
    return names.contains { name in
      let has = { (file: String) in
        FileManager.default.fileExists(atPath: folder(of: name).appending(path: file).path)
      }
      return has("command.txt") && !has(Self.requestName)
    }
  }

  /// Makes a step's folder, with the step as a value and as a command for whoever looks into it.
  func prepare(_ step: ExperimentStep) throws {
    try createFolder(at: folder(of: step.id))
    try AtomicFile.write(
      JSONValue(encoding: step.request).data(indent: 2), to: request(of: step.id))
    try AtomicFile.write(
      Data((step.command + "\n").utf8), to: folder(of: step.id).appending(path: "command.txt"))
  }

  /// The record of a step that is finished and whole; nil for any other.
  package func finished(_ step: ExperimentStep) -> StepRecord? {
    let marker = folder(of: step.id).appending(path: Self.markerName)
    guard let data = try? readFile(at: marker, limit: 1 << 20),
      let tree = try? JSONValue(parsing: data), let record = try? tree.decode(StepRecord.self),
      record.id == step.id
    else { return nil }
    if step.kind.isTraining {
      let checkpoints = CheckpointFolder(run: product(of: step))
      let isWhole = record.bytes == nil || record.bytes == checkpoints.bytes
      return checkpoints.isEmpty || !isWhole ? nil : record
    }
    return record.digest != nil && record.digest == (try? digest(of: step)) ? record : nil
  }

  /// Writes the marker of a step that has ended well.
  ///
  /// - Parameters:
  ///   - step: The step; what it leaves must be there.
  ///   - seconds: The time that it took.
  ///   - peakMemory: Bytes, where known.
  ///   - sameAs: The step whose figures were taken over; nil for none.
  /// - Returns: The record.
  /// - Throws: An error when the record cannot be written or the step's product cannot be read.
  @discardableResult
  package func finish(
    _ step: ExperimentStep, seconds: Double, peakMemory: Int? = nil, sameAs: String? = nil
  ) throws -> StepRecord {
    let record = StepRecord(
      id: step.id, kind: step.kind.rawValue, title: step.title, command: step.command,
      folder: "\(ExperimentStep.folderName)/\(step.id)",
      finished: Date().formatted(.iso8601), seconds: seconds, peakMemory: peakMemory,
      sameAs: sameAs, digest: step.kind.isTraining ? nil : try digest(of: step),
      bytes: step.kind.isTraining ? CheckpointFolder(run: product(of: step)).bytes : nil)
    let marker = folder(of: step.id).appending(path: Self.markerName)
    try AtomicFile.write(JSONValue(encoding: record).data(indent: 2), to: marker)
    return record
  }

  /// The figures of a finished step; nil where there are none, or where they cannot be read.
  package func figures(of step: ExperimentStep) -> JSONValue? {
    guard !step.kind.isTraining,
      let data = try? readFile(at: product(of: step), limit: Self.maximumBytes)
    else { return nil }
    return try? JSONValue(parsing: data)
  }

  /// Takes over the figures of the last checkpoint for the best one, where both are one epoch.
  ///
  /// - Returns: The record; nil where the step has figures of its own to find.
  func takeOver(_ step: ExperimentStep, in plan: ExperimentPlan) throws -> StepRecord? {
    guard let twin = step.twin.flatMap({ plan[$0] }), finished(twin) != nil,
      let run = step.needs.reversed().compactMap({ plan[$0] }).first(where: { $0.kind == .train })
    else { return nil }
    let checkpoints = CheckpointFolder(run: product(of: run))
    guard let last = try? checkpoints.state(.latest), let best = try? checkpoints.state(.best),
      last.epoch == best.epoch
    else { return nil }
    let figures = try readFile(at: product(of: twin), limit: Self.maximumBytes)
    try AtomicFile.write(figures, to: product(of: step))
    return try finish(step, seconds: 0, sameAs: twin.id)
  }

  /// The last lines that a step printed.
  package func lastLines(of step: String, count: Int = 5) -> [String] {
    NamidFiles.lastLines(of: log(of: step), count: count)
  }

  /// The room that is left for the folder, in bytes; nil where that is not known.
  package var freeBytes: Double? {
    var folder = root.standardizedFileURL
    while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
      folder = folder.deletingLastPathComponent()
    }
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return (attributes?[.systemFreeSize] as? NSNumber)?.doubleValue
  }

  /// Locks the folder for this process; nil while another one has it.
  package func lock() throws -> FolderLock? {
    try createFolder(at: root)
    return FolderLock(root)
  }

  private func digest(of step: ExperimentStep) throws -> String {
    SHA256.hexDigest(of: try readFile(at: product(of: step), limit: Self.maximumBytes))
  }
}
