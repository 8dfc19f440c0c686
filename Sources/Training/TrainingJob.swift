import Datasets
import Foundation
import Models
import MutualInformation
import Records
import Torch

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
  /// - Throws: What stands in the way, in words that say what to do.
  public init(
    _ configuration: RunConfiguration, data: URL, run: URL, resume: Bool, device: Device = .cpu
  ) throws {
    let images = try TrainingData(configuration.data, directory: data, seed: configuration.seed)
    let specification = images.specification(configuration.model)
    network = try Network(
      specification, stream: RandomStream(seed: configuration.seed).keyed("weights"),
      device: device)
    let defense = try configuration.makeDefense(for: network)
    let folder = try RunFolder(
      run, configuration: ConfigurationLoader.render(configuration), specification: specification,
      resume: resume)
    trainer = try Trainer(
      configuration, network: network, defense: defense,
      training: ImageTensors(images.training, device: device),
      validation: images.validation.map { ImageTensors($0, device: device) }, run: folder)
    let width = specification.width
    summary =
      "\(defense.name) training of \(specification.architecture) (width \(width), "
      + "\(network.store.parameterCount) parameters) on \(images.training.count) images of "
      + "\(images.training.title), \(configuration.training.epochs) epochs, \(device)"
  }

  /// Trains all epochs that are not done yet.
  ///
  /// - Parameter report: Told what happens.
  /// - Throws: When the loss diverges or a checkpoint cannot be written; earlier ones stay.
  public func fit(report: (TrainingEvent) -> Void = { _ in }) throws {
    try trainer.fit(report: report)
  }
}

/// A run that trains estimators, from its configuration.
public struct EstimatorJob {
  /// What is trained on what, in one line.
  public let summary: String
  /// The estimators in training.
  public let estimators: EstimatorPair
  private let trainer: EstimatorTrainer

  /// Prepares a run; all that can be wrong with its settings is found here, before any training.
  ///
  /// - Parameters:
  ///   - configuration: What to do; its `target` must be set.
  ///   - data: The folder that holds data sets.
  ///   - run: The run's folder.
  ///   - resume: Whether a run that is there goes on.
  ///   - device: Where to compute.
  /// - Throws: What stands in the way, in words that say what to do.
  public init(
    _ configuration: EstimatorConfiguration, data: URL, run: URL, resume: Bool,
    device: Device = .cpu
  ) throws {
    guard let target = configuration.target else { throw RunError.noTarget }
    let choice = CheckpointFolder.Choice(configuration.checkpoint) ?? .latest
    let saved = try SavedNetwork(run: URL(filePath: target), choice, device: device)
    let images = try TrainingData(configuration.data, directory: data, seed: configuration.seed)
    let own = saved.network.specification
    try saved.check(images.training)
    let specification = EstimatorSpecification(
      units: configuration.units, classCount: own.classCount, channels: own.channels,
      leak: configuration.leak)
    estimators = EstimatorPair(
      specification, stream: RandomStream(seed: configuration.seed).keyed("weights"),
      device: device)
    let folder = try RunFolder(
      run, configuration: ConfigurationLoader.render(configuration), specification: specification,
      resume: resume)
    trainer = try EstimatorTrainer(
      configuration, target: saved.network, estimators: estimators,
      training: ImageTensors(images.training, device: device), run: folder)
    summary =
      "estimators (\(configuration.objective.rawValue), \(configuration.units) units) on "
      + "\(images.training.count) images of \(images.training.title) and the logits of \(target), "
      + "\(configuration.epochs) epochs, \(device)"
  }

  /// Trains all epochs that are not done yet.
  ///
  /// - Parameter report: Told what happens.
  /// - Throws: When the loss diverges or a checkpoint cannot be written; earlier ones stay.
  public func fit(report: (TrainingEvent) -> Void = { _ in }) throws {
    try trainer.fit(report: report)
  }
}
