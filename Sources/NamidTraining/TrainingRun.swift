import Foundation
import NamidData
import NamidDefenses
import NamidEvaluation
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
    var configuration = try configuration.settled(catalog)
    let images = try TrainingData(
      configuration.data, directory: data, seed: configuration.seed, catalog: catalog, say: say)
    try configuration.threat.checkRadius(
      valuesPerImage: images.training.bytesPerImage)
    let isResumed = resume && !CheckpointFolder(run: folder).isEmpty
    var specification = images.specification(configuration.model, catalog: catalog)
    var initial: Network?
    var program = isResumed ? RunFiles.program(in: folder) : nil
    if isResumed && configuration.initial != nil {
      specification = try RunFiles.specification(of: NetworkSpecification.self, in: folder)
    } else if let path = configuration.initial {
      let start = try Self.initial(path, configuration.model, for: specification, device, catalog)
      (initial, program) = (start.network, start.program)
      specification = start.network.specification
    }
    if configuration.initial != nil {
      (configuration.model.architecture, configuration.model.width) = (
        specification.architecture, specification.width
      )
    }
    network = try Network(
      specification, stream: RandomStream(seed: configuration.seed).keyed("weights"),
      device: device,
      architectures: RunFiles.architectures(program, specification, device, catalog))
    let defense = try configuration.makeDefense(for: network, catalog: catalog)
    let defaults = try catalog.defense(configuration.defense).weightPerturbation
    let perturbation = configuration.weightPerturbation.map {
      WeightPerturbation($0, defaults: defaults)
    }
    try Self.checkThatAllBegins(defense, perturbation, epochs: configuration.training.epochs)
    let run = try RunFolder(
      folder, configuration: ConfigurationLoader.render(configuration),
      specification: specification, program: program, resume: resume)
    if let initial { try network.take(initial.store.state) }
    let trainer = try Trainer(
      configuration, network: network, defense: defense,
      validation: images.validation.map { ImageTensors($0, device: device) },
      perturbation: perturbation)
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

extension TrainingRun {
  /// Refuses a training that ends while a defense or the perturbation of weights still warms up.
  private static func checkThatAllBegins(
    _ defense: any Defense, _ perturbation: WeightPerturbation?, epochs: Int
  ) throws(RunError) {
    let last = epochs - 1
    let final = defense.stage(epoch: .max)
    if epochs > 0, defense.stage(epoch: last) != final {
      let later = epochs..<epochs + 100_000
      let first = later.first { defense.stage(epoch: $0) == final } ?? later.upperBound
      throw .neverBegins("the added term of \(defense.name)", epoch: first + 1, epochs: epochs)
    }
    if let perturbation, epochs > 0, perturbation.gamma != 0, !perturbation.isActive(in: last) {
      throw .neverBegins(
        "the perturbation of weights", epoch: perturbation.warmUpEpochs + 1, epochs: epochs)
    }
  }

  /// The network that training starts from, of a run or a file; its kind is the one that is trained.
  ///
  /// - Throws: `RunError.initialDoesNotFit` for other images or classes, or where the settings ask for another kind.
  private static func initial(
    _ path: String, _ model: ModelSettings, for images: NetworkSpecification, _ device: Device,
    _ catalog: Catalog
  ) throws -> SavedNetwork {
    var options = ModelFile.Options()
    options.recognition.image = (images.channels, images.imageHeight, images.imageWidth)
    options.recognition.firstConvolutionPadding = images.firstConvolutionPadding
    let saved = try SavedNetwork(
      opening: URL(filePath: path), .latest, options, device: device, catalog: catalog)
    let theirs = saved.network.specification
    let isAsked =
      model == ModelSettings()
      || (theirs.architecture, theirs.width) == (images.architecture, images.width)
    guard isAsked, theirs.classCount == images.classCount, theirs.channels == images.channels,
      (theirs.imageHeight, theirs.imageWidth) == (images.imageHeight, images.imageWidth)
    else {
      let texts = [theirs, images].map {
        "\($0.title), \($0.classCount) classes, "
          + "\($0.channels)×\($0.imageHeight)×\($0.imageWidth)"
      }
      throw RunError.initialDoesNotFit(
        path, reason: "it holds \(texts[0]), the run trains \(texts[1])")
    }
    return saved
  }
}

extension Network {
  /// Takes over the weights and statistics of another network of the same kind.
  fileprivate func take(_ state: [(name: String, tensor: Tensor)]) throws {
    try store.load(
      state: Dictionary(state.map { ($0.name, $0.tensor) }) { first, _ in first })
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
