import Foundation
import NamidData
import NamidDefenses
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTorch

/// The training of a network from its configuration: reads the data, builds network and defense, and trains.
///
/// ```swift
/// let run = try TrainingRun(configuration, in: folder, data: DataDirectory.standard())
/// try run.fit { event in print(event) }
/// ```
public final class TrainingRun {
  /// The network, the defense, the data and the length of the run, in one line.
  public let summary: String
  /// The network in training.
  public let network: Network
  private let loop: TrainingLoop

  /// Prepares a run; all that can be wrong with its settings is found here, before any training.
  ///
  /// - Parameters:
  ///   - configuration: All settings of the run.
  ///   - folder: The run's folder, for checkpoints and metrics.
  ///   - data: The folder that holds data sets.
  ///   - resume: True to go on with a run that is there.
  ///   - device: The device to compute on.
  ///   - catalog: The parts that the settings may name.
  ///   - say: Takes one line at a time on images that were not as they should be.
  /// - Throws: An error that names the setting, file or folder and the remedy.
  public init(
    _ configuration: RunConfiguration, in folder: URL, data: URL, resume: Bool = false,
    device: Device = .cpu, catalog: Catalog = .standard, say: (String) -> Void = { _ in }
  ) throws {
    let configuration = try configuration.settled(catalog)
    let images = try TrainingData(
      configuration.data, directory: data, seed: configuration.seed, catalog: catalog, say: say)
    let specification = images.specification(configuration.model, catalog: catalog)
    network = try Network(
      specification, stream: RandomStream(seed: configuration.seed).keyed("weights"),
      device: device, architectures: catalog.architectures)
    let defense = try configuration.makeDefense(for: network, catalog: catalog)
    let defaults = try catalog.defense(configuration.defense).weightPerturbation
    let run = try RunFolder(
      folder, configuration: ConfigurationLoader.render(configuration),
      specification: specification, resume: resume)
    if let initial = configuration.initial, !run.isResumed {
      try network.start(from: URL(filePath: initial), catalog: catalog)
    }
    let trainer = try Trainer(
      configuration, network: network, defense: defense,
      validation: images.validation.map { ImageTensors($0, device: device) },
      perturbation: configuration.weightPerturbation.map {
        WeightPerturbation($0, defaults: defaults)
      })
    loop = try TrainingLoop(
      trainer, on: ImageTensors(images.training, device: device),
      dataFingerprint: images.fingerprint(), run: run)
    summary =
      "\(defense.name) training of \(specification.architecture) (width \(specification.width), "
      + "\(network.store.parameterCount) parameters) on \(images.training.count) images of "
      + "\(images.training.title), \(configuration.training.epochs) epochs, "
      + configuration.training.precision.text(on: device)
  }

  /// True when training ended before its last epoch because validation did not improve any more.
  public var hasStoppedEarly: Bool { loop.hasStoppedEarly }

  /// Trains all epochs that are not done yet.
  ///
  /// - Parameter report: Called after every few batches and after every epoch.
  /// - Throws: `TrainingError` when loss or weights diverge, or an error of a checkpoint that cannot be written;
  ///   earlier checkpoints stay.
  public func fit(_ report: (TrainingEvent) -> Void = { _ in }) throws { try loop.fit(report) }
}

extension Network {
  /// Takes over the weights and statistics of another run's last checkpoint.
  ///
  /// - Throws: `RunError.initialDoesNotFit` for a network of another kind, and what reading a run throws.
  fileprivate func start(from run: URL, catalog: Catalog) throws {
    let saved = try SavedNetwork(run: run, device: store.device, catalog: catalog)
    let theirs = saved.network.specification
    guard theirs == specification else {
      let texts = [theirs, specification].map {
        "\($0.architecture), width \($0.width), \($0.classCount) classes, "
          + "\($0.channels)×\($0.imageHeight)×\($0.imageWidth)"
      }
      throw RunError.initialDoesNotFit(
        run.path, reason: "it holds \(texts[0]), the run trains \(texts[1])")
    }
    try store.load(
      state: Dictionary(saved.network.store.state.map { ($0.name, $0.tensor) }) { first, _ in first
      })
  }
}

/// The training of MI estimators on the logits of a trained network, from its configuration.
public final class EstimatorRun {
  /// The estimators, the data, the network and the length of the run, in one line.
  public let summary: String
  private let loop: TrainingLoop

  /// Prepares a run; all that can be wrong with its settings is found here, before any training.
  ///
  /// - Parameters:
  ///   - configuration: All settings of the run; its `target` must be set.
  ///   - folder: The run's folder, for checkpoints and metrics.
  ///   - data: The folder that holds data sets.
  ///   - resume: True to go on with a run that is there.
  ///   - device: The device to compute on.
  ///   - catalog: The parts that the settings may name.
  ///   - say: Takes one line at a time on images that were not as they should be.
  /// - Throws: An error that names the setting, file or folder and the remedy.
  public init(
    _ configuration: EstimatorConfiguration, in folder: URL, data: URL, resume: Bool = false,
    device: Device = .cpu, catalog: Catalog = .standard, say: (String) -> Void = { _ in }
  ) throws {
    guard let target = configuration.target else { throw RunError.noTarget }
    let choice = CheckpointFolder.Choice(configuration.checkpoint) ?? .latest
    let saved = try SavedNetwork(
      run: URL(filePath: target), choice, device: device, catalog: catalog)
    let images = try TrainingData(
      configuration.data, directory: data, seed: configuration.seed, catalog: catalog, say: say)
    let own = saved.network.specification
    try saved.check(images.training)
    let specification = EstimatorSpecification(
      units: configuration.units, classCount: own.classCount, channels: own.channels,
      leak: configuration.leak)
    let estimators = Estimators(
      configuration.kind, specification,
      stream: RandomStream(seed: configuration.seed).keyed("weights"), device: device)
    for (_, estimator) in estimators.named {
      estimator.scorePrecision = configuration.scorePrecision
      estimator.scoreScale = configuration.scoreScale
    }
    let run = try RunFolder(
      folder, configuration: ConfigurationLoader.render(configuration),
      specification: specification, resume: resume)
    loop = try TrainingLoop(
      EstimatorTrainer(configuration, target: saved.network, estimators: estimators),
      on: ImageTensors(images.training, device: device),
      dataFingerprint: specificationHash([images.fingerprint(), saved.network.fingerprint]),
      run: run)
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
  /// - Parameter report: Called after every few batches and after every epoch.
  /// - Throws: `TrainingError` when a loss or weights diverge, or an error of a checkpoint that cannot be written;
  ///   earlier checkpoints stay.
  public func fit(_ report: (TrainingEvent) -> Void = { _ in }) throws { try loop.fit(report) }
}

extension Precision {
  /// The precision and the device, for people; TF32 is a kind of product that only CUDA devices have.
  fileprivate func text(on device: Device) -> String {
    self == .tf32 && device.kind == .cpu
      ? "float32 (tf32 is for CUDA) on \(device)" : "\(rawValue) on \(device)"
  }
}
