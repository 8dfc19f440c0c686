import Datasets
import Foundation
import Models
import MutualInformation
import NeuralNetworks
import Records
import Torch

/// A trained network read back from its run folder.
public struct SavedNetwork {
  /// The network, in evaluation mode.
  public let network: Network
  /// The configuration that it was trained with.
  public let configuration: RunConfiguration
  /// Which checkpoint it is.
  public let checkpoint: CheckpointState

  /// Reads a run.
  ///
  /// - Parameters:
  ///   - run: The run's folder.
  ///   - choice: Which checkpoint.
  ///   - averaged: Whether to take averaged weights; nil takes them where there are any.
  ///   - device: Where the network will live.
  ///   - registry: Where the run's names are looked up.
  /// - Throws: What stands in the way, in words that say what to do.
  public init(
    run: URL, _ choice: CheckpointFolder.Choice = .latest, averaged: Bool? = nil,
    device: Device = .cpu, registry: Registry = Registry()
  ) throws {
    configuration = try Self.configuration(of: run, registry: registry)
    let specification = try RunFiles.specification(of: NetworkSpecification.self, in: run)
    network = try Network(
      specification, stream: RandomStream(seed: 0), device: device,
      architectures: registry.architectures)
    let folder = CheckpointFolder(run: run)
    checkpoint = try folder.state(choice)
    var weights: [String: Tensor] = [:]
    let store = network.store
    try folder.load(choice, file: RunFolder.weightsFile, device: device) {
      (state) throws(StateDictionaryError) in
      try store.load(state: state)
      weights = state
    }
    guard averaged ?? (configuration.training.averageDecay != nil) else { return }
    try folder.load(choice, file: RunFolder.averageFile, device: device) {
      (average) throws(StateDictionaryError) in
      try store.load(state: weights.merging(average) { _, new in new })
    }
  }

  /// Throws when images do not fit the network.
  public func check(_ set: ImageSet) throws {
    let own = network.specification
    let (classes, size) = (set.classNames.count, (set.channels, set.height, set.width))
    guard own.classCount == classes, size == (own.channels, own.imageHeight, own.imageWidth) else {
      throw RunError.imagesDoNotFit(
        "\(set.title) has \(classes) classes and images of \(size.0)×\(size.1)×\(size.2), the network "
          + "\(own.classCount) classes and \(own.channels)×\(own.imageHeight)×\(own.imageWidth)")
    }
  }

  /// The configuration of a run, without its weights.
  public static func configuration(
    of run: URL, registry: Registry = Registry()
  ) throws -> RunConfiguration {
    try registry.configuration(file: try RunFiles.configuration(in: run))
  }
}

/// Trained estimators of any kind read back from their run folder, frozen.
public struct TrainedEstimators {
  /// The estimators, in evaluation mode and without gradients to their weights.
  public let estimators: Estimators
  /// What they are.
  public let specification: EstimatorSpecification
  /// The configuration that they were trained with.
  public let configuration: EstimatorConfiguration

  /// Reads a run made by `namid train-estimators`.
  public init(
    run: URL, _ choice: CheckpointFolder.Choice = .latest, device: Device = .cpu
  ) throws {
    configuration = try ConfigurationLoader.load(
      defaults: EstimatorConfiguration(), file: try RunFiles.configuration(in: run))
    specification = try RunFiles.specification(of: EstimatorSpecification.self, in: run)
    estimators = Estimators(
      configuration.kind, specification, stream: RandomStream(seed: 0), device: device)
    let folder = CheckpointFolder(run: run)
    for (name, estimator) in estimators.named {
      try folder.load(
        choice, file: Self.file(name), device: device, into: estimator.load(state:))
    }
    estimators.freeze()
  }

  static func file(_ name: String) -> String { "\(name).safetensors" }
}

/// Trained estimators of natural and adversarial MI read back from their run folder, frozen.
public struct SavedEstimators {
  /// The estimators, in evaluation mode and without gradients to their weights.
  public let estimators: EstimatorPair
  /// What they are.
  public let specification: EstimatorSpecification
  /// The configuration that they were trained with.
  public let configuration: EstimatorConfiguration

  /// Reads a run made by `namid train-estimators`.
  public init(
    run: URL, _ choice: CheckpointFolder.Choice = .latest, device: Device = .cpu
  ) throws {
    let trained = try TrainedEstimators(run: run, choice, device: device)
    guard case .pair(let pair) = trained.estimators else {
      throw RunError.estimatorsDoNotFit(
        run.path, reason: "they estimate \(trained.configuration.kind.rawValue) MI")
    }
    estimators = pair
    specification = trained.specification
    configuration = trained.configuration
  }
}

/// The files of a run folder besides its checkpoints.
enum RunFiles {
  static let specificationName = "specification.json"

  static func configuration(in run: URL) throws -> URL {
    let file = run.appending(path: RunFolder.configurationFile)
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw RunError.notARun(run.path)
    }
    return file
  }

  static func specification<Specification: Codable>(
    of _: Specification.Type, in run: URL
  ) throws -> Specification {
    let file = run.appending(path: specificationName)
    do {
      let tree = try JSONValue(parsing: readFile(at: file, limit: 1 << 20))
      return try tree.decode(Specification.self, unknownKeys: .refused)
    } catch {
      throw RunError.unreadable(file.path, reason: "\(error)")
    }
  }
}

/// A folder that is not the run it should be.
public enum RunError: Error, CustomStringConvertible, Sendable {
  /// There is no run.
  case notARun(String)
  /// One of its files cannot be read.
  case unreadable(String, reason: String)
  /// Estimators to be trained without a network to read.
  case noTarget
  /// Images that the network cannot classify.
  case imagesDoNotFit(String)
  /// Estimators that do not fit the network or the data.
  case estimatorsDoNotFit(String, reason: String)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .notARun(let path):
      "\(path) is not a run's folder: it has no \(RunFolder.configurationFile)"
    case .imagesDoNotFit(let reason): "the data set does not fit the network: \(reason)"
    case .noTarget: "no network given: name the run folder of a trained one (--target)"
    case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
    case .estimatorsDoNotFit(let path, let reason):
      "the estimators in \(path) do not fit: \(reason)"
    }
  }
}
