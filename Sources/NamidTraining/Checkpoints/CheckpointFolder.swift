import Foundation
import NamidFiles
import NamidNetworks
import NamidTorch

/// The checkpoints of a run: one folder per kept epoch, and links to the latest and the best.
///
/// An epoch's folder is written aside, forced onto the disk and renamed, so that it is there whole or not at all.
public struct CheckpointFolder: Sendable {
  /// The folder around all checkpoints.
  public let url: URL

  /// A choice among the checkpoints.
  public enum Choice: Sendable, Hashable, LosslessStringConvertible {
    /// The last finished epoch.
    case latest
    /// The epoch with the best validation.
    case best
    /// One epoch, counted from 1.
    case epoch(Int)

    /// Parses `latest`, `last`, `best` or a number; nil for anything else.
    public init?(_ description: String) {
      switch description {
      case "latest", "last": self = .latest
      case "best": self = .best
      default:
        guard let number = Int(description), number >= 1 else { return nil }
        self = .epoch(number)
      }
    }

    /// `latest`, `best` or the epoch's number.
    public var description: String {
      switch self {
      case .latest: "latest"
      case .best: "best"
      case .epoch(let number): "\(number)"
      }
    }

    var folderName: String {
      switch self {
      case .latest: "latest"
      case .best: "best"
      case .epoch(let number): "epoch-" + String(format: "%04ld", number)
      }
    }
  }

  /// The checkpoints of a run's folder.
  public init(run: URL) {
    url = run.appending(path: "checkpoints")
  }

  /// True where nothing was saved yet.
  public var isEmpty: Bool {
    !FileManager.default.fileExists(atPath: folder(.latest).path)
  }

  /// The bytes in the files of the latest and the best checkpoint.
  public var bytes: Int {
    let manager = FileManager.default
    return [Choice.latest, .best].map(folder).reduce(0) { sum, folder in
      let folder = folder.resolvingSymlinksInPath()
      let names = (try? manager.contentsOfDirectory(atPath: folder.path)) ?? []
      return names.reduce(sum) { sum, name in
        let attributes = try? manager.attributesOfItem(
          atPath: folder.appending(path: name).path)
        return sum + ((attributes?[.size] as? NSNumber)?.intValue ?? 0)
      }
    }
  }

  /// The folder of one checkpoint.
  ///
  /// Without a link to the latest, as after a copy that leaves links out, it is the last epoch's: folders
  /// are there whole or not at all.
  public func folder(_ choice: Choice) -> URL {
    let named = url.appending(path: choice.folderName)
    guard choice == .latest, !FileManager.default.fileExists(atPath: named.path),
      let last = epochs.max()
    else { return named }
    return url.appending(path: Choice.epoch(last).folderName)
  }

  /// Saves an epoch and makes it the latest, and the best if it is.
  ///
  /// - Parameters:
  ///   - state: The part that is no tensor; its `epoch` names the folder.
  ///   - files: Tensors by file name.
  ///   - keep: The number of checkpoints that stay, besides the best one.
  /// - Throws: An error when the checkpoint cannot be written; earlier files stay.
  public func save(
    _ state: CheckpointState, files: [String: [(name: String, tensor: Tensor)]], keep: Int
  ) throws {
    try createFolder(at: url)
    let name = Choice.epoch(state.epoch).folderName
    try AtomicDirectory.replace(at: url.appending(path: name)) { folder in
      for (file, tensors) in files {
        try FileWriter.write(newFile: folder.appending(path: file)) {
          try Weights.write(tensors, with: $0)
        }
      }
      let json = try JSONValue(encoding: state).data(indent: 2)
      try FileWriter.write(newFile: folder.appending(path: "state.json")) { try $0.write(json) }
    }
    if state.best?.epoch == state.epoch {
      try AtomicLink.point(url.appending(path: "best"), to: name)
    }
    try AtomicLink.point(url.appending(path: "latest"), to: name)
    removeOld(upTo: state.epoch, keep: keep, except: state.best?.epoch)
  }

  /// Reads the part that is no tensor.
  ///
  /// - Throws: `CheckpointError` when it is missing or not ours.
  public func state(_ choice: Choice) throws -> CheckpointState {
    let file = folder(choice).appending(path: "state.json")
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw CheckpointError.missing(folder(choice).path, existing: existing)
    }
    do {
      let tree = try JSONValue(parsing: readFile(at: file, limit: 1 << 20))
      return try tree.decode(CheckpointState.self, unknownKeys: .ignored)
    } catch {
      throw CheckpointError.unreadable(file.path, reason: "\(error)")
    }
  }

  /// Reads one file of a checkpoint and hands its tensors on; an error says which file does not fit.
  func load(
    _ choice: Choice, file: String, device: Device,
    into target: ([String: Tensor]) throws(StateDictionaryError) -> Void
  ) throws {
    let state = try tensors(choice, file: file, device: device)
    do {
      try target(state)
    } catch {
      throw CheckpointError.doesNotFit(
        folder(choice).appending(path: file).path, reason: error.description)
    }
  }

  /// Reads the tensors of one file of a checkpoint.
  public func tensors(
    _ choice: Choice, file: String, device: Device = .cpu
  ) throws -> [String: Tensor] {
    try Weights.read(folder(choice).appending(path: file), device: device)
  }

  private var existing: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted()
  }

  private var epochs: [Int] {
    existing.filter { $0.hasPrefix("epoch-") }.compactMap { Int($0.dropFirst("epoch-".count)) }
  }

  private func removeOld(upTo epoch: Int, keep: Int, except best: Int?) {
    let old = epochs.filter { $0 <= epoch }.sorted().dropLast(keep)
    for number in old where number != best {
      // A checkpoint that cannot be removed costs space, not correctness.
      try? AtomicDirectory.remove(at: folder(.epoch(number)))
    }
  }
}

/// A file of a checkpoint: named tensors that are saved, and read back to where they came from.
struct CheckpointFile {
  let name: String
  let state: () -> [(name: String, tensor: Tensor)]
  let load: ([String: Tensor]) throws(StateDictionaryError) -> Void

  init(_ name: String, _ store: ParameterStore) {
    self.name = name
    state = { store.state }
    load = store.load
  }

  init(_ name: String, _ optimizer: any Optimizer) {
    self.name = name
    state = { optimizer.state }
    load = optimizer.load
  }

  init(_ name: String, _ average: WeightAverage) {
    self.name = name
    state = { average.state }
    load = average.load
  }

  /// The files of an estimator, or of a network that is trained beside another.
  static func pair(
    named name: String, _ store: ParameterStore, _ optimizer: Adam
  ) -> [CheckpointFile] {
    [
      CheckpointFile(RunFolder.weightsFile(of: name), store),
      CheckpointFile(RunFolder.optimizerFile(of: name), optimizer),
    ]
  }
}

extension CheckpointFolder.Choice: Codable {
  /// Reads `latest`, `best` or a number, as a text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let choice = Self(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected latest, best or an epoch's number")
    }
    self = choice
  }

  /// Writes `latest`, `best` or the number, as a text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
