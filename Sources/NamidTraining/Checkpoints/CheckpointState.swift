/// The part of a checkpoint that is no tensor.
public struct CheckpointState: Codable, Sendable, Equatable {
  /// The best epoch so far by validation.
  public struct Best: Codable, Sendable, Equatable {
    /// Counted from 1.
    public var epoch: Int
    /// The validation's figure.
    public var value: Double
  }

  /// Finished epochs.
  public var epoch: Int
  /// Finished optimizer steps.
  public var step: Int
  /// The best epoch so far; nil without validation.
  public var best: Best?
  /// The configuration hash of weights that came from elsewhere.
  public static let imported = "imported"
  /// A digest of the configuration that a resume must share; `imported` where the weights came from elsewhere.
  public var configurationHash: String
  /// A digest of what it was trained on; nil in files from before it was kept.
  public var dataFingerprint: String?
  /// The engine that computed it.
  public var torchVersion: String

  /// A state after some epochs.
  public init(
    epoch: Int, step: Int, best: Best?, configurationHash: String,
    dataFingerprint: String? = nil, torchVersion: String
  ) {
    self.epoch = epoch
    self.step = step
    self.best = best
    self.configurationHash = configurationHash
    self.dataFingerprint = dataFingerprint
    self.torchVersion = torchVersion
  }

  /// Refuses to be continued by another run.
  ///
  /// - Parameters:
  ///   - path: The run's folder, for the message.
  ///   - hash: The digest of the configuration that would continue.
  ///   - data: The digest of what it would train on.
  /// - Throws: `CheckpointError` saying which of the two differs.
  func check(_ path: String, configuration hash: String, data: String) throws {
    guard configurationHash == hash else { throw CheckpointError.otherConfiguration(path) }
    guard dataFingerprint == nil || dataFingerprint == data else {
      throw CheckpointError.otherData(path)
    }
  }
}

/// A checkpoint that cannot be used.
public enum CheckpointError: Error, CustomStringConvertible, Sendable {
  /// The checkpoint does not exist.
  case missing(String, existing: [String])
  /// Its state cannot be read.
  case unreadable(String, reason: String)
  /// The checkpoint belongs to another configuration.
  case otherConfiguration(String)
  /// The checkpoint was trained on other images, or on the logits of another network.
  case otherData(String)
  /// Its tensors are another network's.
  case doesNotFit(String, reason: String)
  /// The run's folder is in use by an earlier run.
  case runExists(String)
  /// Another process trains in the run's folder.
  case inUse(String)
  /// The run's folder holds files that no run has written.
  case foreignFiles(String, names: [String])

  /// A sentence on the fault and its remedy.
  public var description: String {
    switch self {
    case .missing(let path, let existing):
      "no checkpoint at \(path)"
        + (existing.isEmpty
          ? ": train the run first" : "; there are: \(existing.joined(separator: ", "))")
    case .unreadable(let path, let reason):
      "\(path) is not a checkpoint's state: \(reason). Remove that checkpoint's folder to go on from an "
        + "earlier one, or train anew"
    case .doesNotFit(let path, let reason):
      "\(path) does not fit: \(reason)"
    case .inUse(let path):
      "\(path): another process trains there; wait for it, or choose another folder"
    case .foreignFiles(let path, let names):
      "\(path) holds \(names.joined(separator: " and ")) that no run has written: choose another "
        + "folder, or move them away"
    case .otherConfiguration(let path):
      "\(path) was trained with another configuration: resume with the settings of its "
        + "config.yaml (only the number of kept checkpoints may differ), or choose another run folder"
    case .otherData(let path):
      "\(path) was trained on other data: the images (for estimators also the target network) have "
        + "changed since; restore them, or choose another run folder"
    case .runExists(let path):
      "\(path) already holds a run: resume it, or choose another folder"
    }
  }
}
