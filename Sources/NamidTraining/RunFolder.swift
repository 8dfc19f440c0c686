import Foundation
import NamidFiles

/// The folder of a run: configuration, metrics and checkpoints.
public final class RunFolder {
  /// The file of a checkpoint with the network's weights.
  public static let weightsFile = "model.safetensors"
  /// The file of a checkpoint with the optimizer's state.
  public static let optimizerFile = "optimizer.safetensors"
  /// The file of a checkpoint with averaged weights.
  public static let averageFile = "average.safetensors"
  /// The file with the figures of every epoch.
  public static let metricsFile = "metrics.jsonl"
  /// The file that says what is trained.
  public static let specificationFile = "specification.json"
  /// The file with the resolved configuration.
  public static let configurationFile = "config.yaml"

  /// The file of a run whose network is a program: the archive that it came in.
  public static let programFile = "program.zip"

  /// The file of a checkpoint with the weights of a network trained beside, or of an estimator.
  static func weightsFile(of name: String) -> String { "\(name).safetensors" }

  /// The file of a checkpoint with the state of their optimizer.
  static func optimizerFile(of name: String) -> String { "\(name)-optimizer.safetensors" }

  /// The folder.
  public let url: URL
  /// Its checkpoints.
  public let checkpoints: CheckpointFolder
  /// True for a run that was there and goes on.
  public let isResumed: Bool
  private let configuration: String
  private let specification: JSONValue
  private let program: URL?
  private static let lockFile = ".training-lock"
  private var lock: FolderLock?
  private var records: (metrics: MetricsFile, events: EventFile)?

  /// A new run's folder, or one to continue; nothing is written before `open()`.
  ///
  /// - Parameters:
  ///   - url: The folder.
  ///   - configuration: The resolved configuration, written as text.
  ///   - specification: A description of what is trained, written as JSON.
  ///   - program: The archive of a network that is a program; it is copied into the folder.
  ///   - resume: True to go on with a run that is there; without one a new run begins.
  /// - Throws: `CheckpointError` when there is a run and `resume` is false, or files that are no run's.
  public init(
    _ url: URL, configuration: String, specification: some Encodable, program: URL? = nil,
    resume: Bool
  ) throws {
    self.url = url
    self.program = program
    checkpoints = CheckpointFolder(run: url)
    isResumed = resume && !checkpoints.isEmpty
    self.configuration = configuration
    self.specification = try JSONValue(encoding: specification)
    try Self.check(url, resume: resume)
  }

  /// Refuses a folder that a run must not write to: one with a run that is not to go on, or with foreign files.
  public static func check(_ url: URL, resume: Bool) throws {
    let isEmpty = CheckpointFolder(run: url).isEmpty
    if !resume && !isEmpty { throw CheckpointError.runExists(url.path) }
    if isEmpty { try refuseForeignFiles(in: url) }
  }

  /// True for a folder whose run was begun before added terms were balanced.
  public static func isOfEarlierVersion(_ url: URL) -> Bool {
    let text = try? String(
      contentsOf: url.appending(path: configurationFile), encoding: .utf8)
    return text?.contains("balance:") == false
  }

  /// Makes the folder if it is new, and opens the files that grow; call it when nothing else can go wrong.
  ///
  /// - Throws: `CheckpointError.inUse` while another process trains there, and what writing throws.
  public func open() throws {
    try createFolder(at: url)
    guard let lock = FolderLock(url, named: Self.lockFile) else {
      throw CheckpointError.inUse(url.path)
    }
    self.lock = lock
    // Another run may have begun and ended since this one looked.
    if !isResumed && !checkpoints.isEmpty { throw CheckpointError.runExists(url.path) }
    let metrics = url.appending(path: Self.metricsFile)
    let step = isResumed ? try checkpoints.state(.latest).step : nil
    if step == nil {
      // What an interrupted first epoch left is not worth keeping: no checkpoint goes with it.
      try? FileManager.default.removeItem(at: metrics)
      // The specification first: it marks the other files as a run's.
      try AtomicFile.write(
        specification.data(indent: 2), to: url.appending(path: Self.specificationFile))
      try AtomicFile.write(
        Data(configuration.utf8), to: url.appending(path: Self.configurationFile))
      if let program {
        try AtomicFile.write(to: url.appending(path: Self.programFile)) { writer in
          var problem: FileError?
          try forEachPiece(ofFileAt: program) { piece in
            do throws(FileError) { if problem == nil { try writer.write(piece) } } catch {
              problem = error
            }
          }
          if let problem { throw problem }
        }
      }
    }
    records = (
      try MetricsFile(url: metrics, resumingAfter: step),
      // Also without a checkpoint: an epoch may have been noted whose checkpoint was not written.
      try EventFile(folder: url, resumingAfter: step ?? 0)
    )
  }

  /// A run begins with its specification: without one, files of a run's names are somebody else's.
  private static func refuseForeignFiles(in url: URL) throws {
    let exists = { (name: String) in
      FileManager.default.fileExists(atPath: url.appending(path: name).path)
    }
    guard !exists(Self.specificationFile) else { return }
    let foreign = [configurationFile, metricsFile].filter(exists)
    if !foreign.isEmpty { throw CheckpointError.foreignFiles(url.path, names: foreign) }
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
    guard let records else { preconditionFailure("log(_:) before open() of \(url.path)") }
    try records.metrics.append(step: record.step, line)
    try records.metrics.synchronize()
    try records.events.append(step: record.step, scalars)
  }
}
