import Foundation
import NamidData
import NamidFiles
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTorch

/// A trained network read back from its run folder, or from a file that was made elsewhere.
public struct SavedNetwork {
  /// The network, in evaluation mode.
  public let network: Network
  /// The configuration that it was trained with; the defaults for a file, which says nothing about it.
  public let configuration: RunConfiguration
  /// The state of the checkpoint that was read; of epoch 0 for a file.
  public let checkpoint: CheckpointState
  /// The file; nil for a run.
  public let file: ModelFile?

  /// The archive of a network that is a program; nil for other networks.
  public let program: URL?

  /// The name of what was read, for reports: `epoch 6`, or a file's format.
  public var checkpointTitle: String {
    guard let file else { return "epoch \(checkpoint.epoch)" }
    return file.key.isEmpty ? file.format.rawValue : "\(file.format.rawValue), \(file.key)"
  }

  /// Reads a run's folder or a file.
  ///
  /// - Parameters:
  ///   - path: The folder or the file.
  ///   - choice: The checkpoint to read; for a run.
  ///   - options: Choices for what a file leaves open.
  ///   - device: The device of the network.
  ///   - catalog: The parts that are known.
  /// - Throws: An error that names the file and the remedy.
  public init(
    opening path: URL, _ choice: CheckpointFolder.Choice = .latest,
    _ options: ModelFile.Options = ModelFile.Options(), device: Device = .cpu,
    catalog: Catalog = .standard
  ) throws {
    guard FileKind(of: path) == .file else {
      self = try Self(run: path, choice, device: device, catalog: catalog)
      return
    }
    self = try Self(
      ModelFile(path, options, device: device, catalog: catalog), options, device: device)
  }

  /// Takes the network of a file.
  private init(_ file: ModelFile, _ options: ModelFile.Options, device: Device) throws {
    self.file = file
    program = file.architecture == nil ? nil : file.url
    network = try file.network(on: device)
    var configuration = RunConfiguration()
    configuration.data.name = options.recognition.dataset
    configuration.defense = .natural
    configuration.model.architecture = network.specification.architecture
    configuration.model.width = network.specification.width
    self.configuration = configuration
    checkpoint = CheckpointState(
      epoch: 0, step: 0, best: nil, configurationHash: CheckpointState.imported,
      torchVersion: TorchEnvironment.read().compiledVersion)
  }

  /// Reads a run.
  ///
  /// - Parameters:
  ///   - run: The run's folder.
  ///   - choice: The checkpoint to read.
  ///   - averaged: True for averaged weights; nil takes them where there are any.
  ///   - device: The device of the network.
  ///   - catalog: The parts that the run may name.
  /// - Throws: An error that names the file and the remedy.
  public init(
    run: URL, _ choice: CheckpointFolder.Choice = .latest, averaged: Bool? = nil,
    device: Device = .cpu, catalog: Catalog = .standard
  ) throws {
    file = nil
    configuration = try Self.configuration(of: run, catalog: catalog)
    let specification = try RunFiles.specification(of: NetworkSpecification.self, in: run)
    program = RunFiles.program(in: run)
    network = try Network(
      specification, stream: RandomStream(seed: 0), device: device,
      architectures: RunFiles.architectures(program, specification, device, catalog))
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

  /// The configuration of a run, without its weights; the defaults for a file.
  public static func configuration(
    of run: URL, catalog: Catalog = .standard
  ) throws -> RunConfiguration {
    if FileKind(of: run) == .file { return RunConfiguration() }
    return try catalog.configuration(file: try RunFiles.configuration(in: run))
  }
}

/// Trained estimators of any kind read back from their run folder, frozen.
public struct TrainedEstimators {
  /// The estimators, in evaluation mode and without gradients to their weights.
  public let estimators: Estimators
  /// The sizes of the estimators.
  public let specification: EstimatorSpecification
  /// The configuration that they were trained with.
  public let configuration: EstimatorConfiguration

  /// Reads the run of a training of estimators.
  public init(
    run: URL, _ choice: CheckpointFolder.Choice = .latest, device: Device = .cpu
  ) throws {
    configuration = try ConfigurationLoader.load(
      defaults: EstimatorConfiguration(), file: try RunFiles.configuration(in: run))
    specification = try RunFiles.specification(of: EstimatorSpecification.self, in: run)
    if let problem = specification.problem {
      throw RunError.unreadable(
        run.appending(path: RunFolder.specificationFile).path, reason: problem)
    }
    estimators = Estimators(
      configuration.kind, specification, stream: RandomStream(seed: 0), device: device)
    let folder = CheckpointFolder(run: run)
    for (name, estimator) in estimators.named {
      estimator.scoreScale = configuration.scoreScale
      try folder.load(
        choice, file: RunFolder.weightsFile(of: name), device: device, into: estimator.load(state:))
    }
    estimators.freeze()
  }
}

extension TrainedEstimators {
  /// The estimators of natural and adversarial MI.
  ///
  /// - Parameter path: Their run folder, for the message.
  /// - Returns: Both, frozen.
  /// - Throws: `RunError.estimatorsDoNotFit` where they are of another kind.
  public func pair(in path: String) throws(RunError) -> EstimatorPair {
    guard case .pair(let pair) = estimators else {
      throw .estimatorsDoNotFit(
        path,
        reason:
          "they estimate \(configuration.kind.rawValue) MI; natural and adversarial MI need a pair")
    }
    return pair
  }

  /// The reasons for which they cannot read a network's logits on some images, one sentence each.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - channels: Channels of the images.
  ///   - data: The name of the data set that they must have been trained on.
  /// - Returns: One sentence per problem; empty where they fit.
  package func problems(
    reading network: NetworkSpecification, channels: Int, data: String
  ) -> [String] {
    var problems: [String] = []
    if specification.classCount != network.classCount {
      problems.append(
        "they read \(specification.classCount) logits, the network gives \(network.classCount)")
    }
    if specification.channels != channels {
      problems.append("they read \(specification.channels) channels, images have \(channels)")
    }
    if configuration.data.name != data {
      problems.append("they were trained on \(configuration.data.name), the network on \(data)")
    }
    return problems
  }
}
