import Foundation
import NamidData
import NamidDefenses
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTorch

/// A training run from its configuration: reads the data, builds network and defense, and trains.
public struct TrainingJob {
  /// What is trained on what, in one line.
  public let summary: String
  /// The network in training.
  public let network: Network
  private let trainer: Trainer

  /// Prepares a run; all that can be wrong with its settings is found here, before any training.
  ///
  /// - Parameters:
  ///   - configuration: What to do.
  ///   - data: The folder that holds data sets.
  ///   - run: The run's folder.
  ///   - resume: Whether a run that is there goes on.
  ///   - device: Where to compute.
  ///   - registry: Where names are looked up.
  /// - Throws: What stands in the way, in words that say what to do.
  public init(
    _ configuration: RunConfiguration, data: URL, run: URL, resume: Bool, device: Device = .cpu,
    registry: Registry = Registry()
  ) throws {
    let configuration = try configuration.settled(registry)
    let images = try TrainingData(
      configuration.data, directory: data, seed: configuration.seed, registry: registry)
    let specification = images.specification(configuration.model, registry: registry)
    network = try Network(
      specification, stream: RandomStream(seed: configuration.seed).keyed("weights"),
      device: device, architectures: registry.architectures)
    let defense = try configuration.makeDefense(for: network, registry: registry)
    let defaults = try registry.defense(configuration.defense).weightPerturbation
    let folder = try RunFolder(
      run, configuration: ConfigurationLoader.render(configuration), specification: specification,
      resume: resume)
    trainer = try Trainer(
      configuration, network: network, defense: defense,
      training: ImageTensors(images.training, device: device),
      validation: images.validation.map { ImageTensors($0, device: device) },
      dataFingerprint: try images.fingerprint(),
      perturbation: configuration.weightPerturbation.map {
        WeightPerturbation($0, defaults: defaults)
      }, run: folder)
    let width = specification.width
    summary =
      "\(defense.name) training of \(specification.architecture) (width \(width), "
      + "\(network.store.parameterCount) parameters) on \(images.training.count) images of "
      + "\(images.training.title), \(configuration.training.epochs) epochs, "
      + configuration.training.precision.text(on: device)
  }

  /// Whether training ended before its last epoch because validation did not improve any more.
  public var hasStoppedEarly: Bool { trainer.hasStoppedEarly }

  /// Trains all epochs that are not done yet.
  ///
  /// - Parameter report: Told what happens.
  /// - Throws: When the loss or the weights diverge or a checkpoint cannot be written; earlier ones stay.
  public func fit(report: (TrainingEvent) -> Void = { _ in }) throws {
    try trainer.fit(report: report)
  }
}

/// A run that trains estimators, from its configuration.
public struct EstimatorJob {
  /// What is trained on what, in one line.
  public let summary: String
  /// The estimators in training.
  public let estimators: Estimators
  private let trainer: EstimatorTrainer

  /// Prepares a run; all that can be wrong with its settings is found here, before any training.
  ///
  /// - Parameters:
  ///   - configuration: What to do; its `target` must be set.
  ///   - data: The folder that holds data sets.
  ///   - run: The run's folder.
  ///   - resume: Whether a run that is there goes on.
  ///   - device: Where to compute.
  ///   - registry: Where names are looked up.
  /// - Throws: What stands in the way, in words that say what to do.
  public init(
    _ configuration: EstimatorConfiguration, data: URL, run: URL, resume: Bool,
    device: Device = .cpu, registry: Registry = Registry()
  ) throws {
    guard let target = configuration.target else { throw RunError.noTarget }
    let choice = CheckpointFolder.Choice(configuration.checkpoint) ?? .latest
    let saved = try SavedNetwork(
      run: URL(filePath: target), choice, device: device, registry: registry)
    let images = try TrainingData(
      configuration.data, directory: data, seed: configuration.seed, registry: registry)
    let own = saved.network.specification
    try saved.check(images.training)
    let specification = EstimatorSpecification(
      units: configuration.units, classCount: own.classCount, channels: own.channels,
      leak: configuration.leak)
    estimators = Estimators(
      configuration.kind, specification,
      stream: RandomStream(seed: configuration.seed).keyed("weights"), device: device)
    for (_, estimator) in estimators.named {
      estimator.scorePrecision = configuration.scorePrecision
    }
    let folder = try RunFolder(
      run, configuration: ConfigurationLoader.render(configuration), specification: specification,
      resume: resume)
    trainer = try EstimatorTrainer(
      configuration, target: saved.network, estimators: estimators,
      training: ImageTensors(images.training, device: device),
      dataFingerprint: try specificationHash(
        [images.fingerprint(), saved.network.fingerprint]), run: folder)
    let control = configuration.control.map { "control \($0.rawValue), " } ?? ""
    let purpose =
      configuration.kind == .pair ? configuration.objective.rawValue : "standard MI"
    summary =
      "estimators (\(purpose), \(control)\(configuration.units) units) on "
      + "\(images.training.count) images of \(images.training.title) and the logits of \(target), "
      + "\(configuration.epochs) epochs, \(configuration.precision.text(on: device))"
  }

  /// Trains all epochs that are not done yet.
  ///
  /// - Parameter report: Told what happens.
  /// - Throws: When the loss diverges or a checkpoint cannot be written; earlier ones stay.
  public func fit(report: (TrainingEvent) -> Void = { _ in }) throws {
    try trainer.fit(report: report)
  }
}

extension Precision {
  /// The precision and the device, for people; TF32 is a kind of product that only CUDA devices have.
  fileprivate func text(on device: Device) -> String {
    self == .tf32 && device.kind == .cpu
      ? "float32 (tf32 is for CUDA) on \(device)" : "\(rawValue) on \(device)"
  }
}
