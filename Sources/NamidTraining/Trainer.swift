import Foundation
import NamidAttacks
import NamidData
import NamidDefenses
import NamidEvaluation
import NamidNetworks
import NamidTorch

/// Trains a network with a defense: order, augmentation, attack, loss, step, validation, checkpoint.
///
/// Every random number comes from a stream keyed by the seed, its purpose, the epoch and the sample, so a run that
/// was killed and resumed ends exactly where an uninterrupted one does.
public final class Trainer {
  private let configuration: RunConfiguration
  private let network: Network
  private let defense: any Defense
  private let training: ImageTensors
  private let validation: ImageTensors?
  private let optimizer: any Optimizer
  private let companions: [(companion: Companion, optimizer: Adam)]
  private let perturbation: WeightPerturbation?
  private let average: WeightAverage?
  private let recordedAttack: BatchRecordings<Tensor>?
  private let recordedStep: BatchRecordings<Terms>?
  /// The learning rate where recorded steps read it; float32, rank 0.
  private let recordedRate: Tensor
  private let schedule: Schedule
  private let batchesPerEpoch: Int
  private let stream: RandomStream
  private let run: RunFolder
  private let dataFingerprint: String

  private var completedEpochs = 0
  private var step = 0
  private var best: CheckpointState.Best?

  /// A run in a folder; resumes what is there if `run` says so.
  ///
  /// - Parameters:
  ///   - configuration: What to do.
  ///   - network: What to train.
  ///   - defense: How.
  ///   - training: What on.
  ///   - validation: What to choose the best epoch with; nil for none.
  ///   - dataFingerprint: A digest of both, which a resume must find unchanged.
  ///   - perturbation: Perturbs the weights for each step; nil for none.
  ///   - run: Where checkpoints and metrics go.
  /// - Throws: What stands in the way, in words that say what to do.
  public init(
    _ configuration: RunConfiguration, network: Network, defense: any Defense,
    training: ImageTensors, validation: ImageTensors?, dataFingerprint: String,
    perturbation: WeightPerturbation? = nil, run: RunFolder
  ) throws {
    self.configuration = configuration
    self.network = network
    self.defense = defense
    self.training = training
    self.validation = validation
    self.dataFingerprint = dataFingerprint
    self.perturbation = perturbation
    self.run = run
    let settings = configuration.training
    batchesPerEpoch = training.batchCount(of: settings.batchSize, dropLast: settings.dropLast)
    guard batchesPerEpoch > 0 else {
      throw TrainingError.tooFewSamples(count: training.count, batchSize: settings.batchSize)
    }
    optimizer = configuration.optimizer.optimizer(of: network.store)
    companions = defense.companions.map { ($0, Adam($0.store)) }
    average = settings.averageDecay.map { WeightAverage(network.store, decay: $0) }
    let device = training.device
    if settings.graphs != .off, device == .cpu || !Graph.isAvailable {
      throw TrainingError.noGraphs(device)
    }
    if settings.graphs == .step, defense.asksDevice {
      throw TrainingError.stepAsksDevice(defense: defense.name)
    }
    recordedAttack = settings.graphs == .attack ? BatchRecordings(on: device) : nil
    recordedStep = settings.graphs == .step ? BatchRecordings(on: device) : nil
    recordedRate = .scalar(0, device: device)
    schedule = configuration.schedule.schedule(
      rate: configuration.optimizer.learningRate, epochs: settings.epochs,
      stepsPerEpoch: batchesPerEpoch)
    stream = RandomStream(seed: configuration.seed)
    if run.isResumed { try restore() }
  }

  /// Whether nothing is left to do: all epochs are done, or validation has not improved for as long as is waited.
  public var isFinished: Bool {
    completedEpochs >= configuration.training.epochs || hasStoppedEarly
  }

  /// Whether validation has not improved for as many epochs as the configuration waits for it.
  public var hasStoppedEarly: Bool {
    guard let patience = configuration.training.patience, let best else { return false }
    return completedEpochs - best.epoch >= patience
      && isDue(configuration.training.validateEvery, after: completedEpochs)
  }

  /// True for every so-many-th epoch (counted from 1), and for the last one.
  private func isDue(_ interval: Int, after epoch: Int) -> Bool {
    epoch % interval == 0 || epoch == configuration.training.epochs
  }

  /// Trains all epochs that are not done yet.
  ///
  /// - Parameter report: Told what happens.
  /// - Throws: When the loss or the weights diverge or a checkpoint cannot be written; earlier ones stay.
  public func fit(report: (TrainingEvent) -> Void = { _ in }) throws {
    if isFinished { return }
    try run.open()
    while !isFinished {
      let epoch = completedEpochs
      let begin = Date()
      let terms = try withPrecision(configuration.gradientPrecision, on: training.device) {
        try withBenchmark { try train(epoch: epoch, report: report) }
      }
      for store in stores { try store.requireFinite(afterEpoch: epoch + 1) }
      let seconds = Date().timeIntervalSince(begin)
      completedEpochs = epoch + 1
      let settings = configuration.training
      let validation = isDue(settings.validateEvery, after: completedEpochs) ? validate() : []
      let isBest = validation.last.map { $0.value > best?.value ?? -1 } ?? false
      if isBest, let value = validation.last?.value {
        best = CheckpointState.Best(epoch: completedEpochs, value: value)
      }
      let record = EpochRecord(
        epoch: completedEpochs, step: step, learningRate: schedule(step - 1), terms: terms,
        validation: validation, seconds: seconds, isBest: isBest)
      try run.log(record)
      if isBest || isFinished || isDue(settings.checkpointEvery, after: completedEpochs) {
        try save()
      }
      report(.epoch(record))
    }
  }

  // MARK: One epoch

  private func train(
    epoch: Int, report: (TrainingEvent) -> Void
  ) throws -> [(name: String, value: Double)] {
    for store in stores { store.isTraining = true }
    defer { for store in stores { store.isTraining = false } }
    let settings = configuration.training
    let batches = EpochBatches(
      of: training, size: settings.batchSize, order: stream.keyed("order").keyed(epoch),
      dropLast: settings.dropLast, augmentation: configuration.data.augmentation,
      stream: stream.keyed("augmentation").keyed(epoch))
    let streams = batches.streams(stream.keyed("attack").keyed(epoch))
    let loop = EpochLoop(epoch: epoch, epochs: settings.epochs, interval: 10)
    return try loop.run(batches.count, report: report) { number in
      try update(batches[number], streams: streams.streams(batches.range(number)), epoch: epoch)
    }
  }

  /// Named numbers on the device.
  private typealias Terms = [(name: String, value: Tensor)]

  /// One optimizer step; returns the loss and its terms.
  private func update(_ batch: Batch, streams: RandomStreams, epoch: Int) throws -> Terms {
    defer { step += 1 }
    let isPerturbed = perturbation?.isActive(in: epoch) ?? false
    let stage = 2 * defense.stage(epoch: epoch) + (isPerturbed ? 1 : 0)
    if let recordedStep {
      withoutGrad { _ = recordedRate.fill_(schedule(step)) }
      let terms = try recordedStep.run(batch, streams: streams, stage: stage) {
        learn($0, attacked: craft($0, $1, epoch: epoch), epoch: epoch, rate: .tensor(recordedRate))
      }
      return terms ?? []
    }
    let attacked =
      try recordedAttack?.run(batch, streams: streams, stage: stage) {
        craft($0, $1, epoch: epoch)
      } ?? (recordedAttack == nil ? craft(batch, streams, epoch: epoch) : nil)
    return learn(batch, attacked: attacked, epoch: epoch, rate: .value(schedule(step)))
  }

  /// The images to train on beside the natural ones.
  private func craft(_ batch: Batch, _ streams: RandomStreams, epoch: Int) -> Tensor? {
    inTrainingPrecision {
      defense.craft(on: network, batch: batch, streams: streams, epoch: epoch)
    }
  }

  /// Loss, gradients and the optimizers' steps.
  private func learn(
    _ batch: Batch, attacked: Tensor?, epoch: Int, rate: LearningRate
  ) -> Terms {
    for store in stores { store.zeroGrad() }
    let computeLoss = {
      self.inTrainingPrecision {
        self.defense.loss(of: self.network, batch: batch, attacked: attacked, epoch: epoch)
      }
    }
    let perturbed = perturbation?.applied(
      to: network.store, keeping: companions.map(\.companion.store), epoch: epoch
    ) { computeLoss().total }
    let loss = computeLoss()
    loss.total.backward()
    optimizer.step(rate)
    perturbed?.remove()
    for (companion, optimizer) in companions {
      optimizer.step(learningRate: companion.learningRate)
    }
    average?.update()
    return [("loss", loss.total.detach())] + loss.terms
  }

  /// Low-precision copies of weights live no longer than one scope, and weights may be perturbed between two.
  private func inTrainingPrecision<Result>(_ body: () -> Result) -> Result {
    withPrecision(configuration.training.precision, on: training.device, body)
  }

  private var stores: [ParameterStore] { [network.store] + companions.map(\.companion.store) }

  // MARK: Validation and checkpoints

  /// Clean and robust accuracy on the validation split, of the averaged weights where there are any; the last figure
  /// chooses the best epoch.
  private func validate() -> [(name: String, value: Double)] {
    guard let validation else { return [] }
    let measure = {
      let evaluator = Evaluator(
        self.network, on: validation,
        batchSize: self.configuration.validationBatch(validation.device),
        seed: self.configuration.seed)
      let clean = evaluator.run(NoAttack()).report.robustAccuracy
      let steps = self.configuration.training.validationSteps
      guard steps > 0 else { return [(name: "clean_accuracy", value: clean)] }
      let attack = PGD(in: self.configuration.threat) { $0.steps = steps }
      let robust = evaluator.run(attack).report.robustAccuracy
      return [("clean_accuracy", clean), ("pgd_\(steps)_accuracy", robust)]
    }
    return average?.swappedIn(measure) ?? measure()
  }

  private func save() throws {
    var files = [
      RunFolder.weightsFile: network.store.state, RunFolder.optimizerFile: optimizer.state,
    ]
    if let average { files[RunFolder.averageFile] = average.state }
    for (companion, optimizer) in companions {
      files[companion.weightsFile] = companion.store.state
      files[companion.optimizerFile] = optimizer.state
    }
    let state = CheckpointState(
      epoch: completedEpochs, step: step, best: best,
      configurationHash: try configuration.resumptionHash(), dataFingerprint: dataFingerprint,
      torchVersion: TorchEnvironment.read().compiledVersion)
    try run.checkpoints.save(state, files: files, keep: configuration.training.keep)
  }

  private func restore() throws {
    let state = try run.checkpoints.state(.latest)
    try state.check(
      run.url.path, configuration: try configuration.resumptionHash(), data: dataFingerprint)
    let device = network.store.device
    let folder = run.checkpoints
    try folder.load(
      .latest, file: RunFolder.weightsFile, device: device, into: network.store.load)
    try folder.load(.latest, file: RunFolder.optimizerFile, device: device, into: optimizer.load)
    if let average {
      try folder.load(.latest, file: RunFolder.averageFile, device: device, into: average.load)
    }
    for (companion, optimizer) in companions {
      try folder.load(
        .latest, file: companion.weightsFile, device: device, into: companion.store.load)
      try folder.load(
        .latest, file: companion.optimizerFile, device: device, into: optimizer.load)
    }
    (completedEpochs, step, best) = (state.epoch, state.step, state.best)
  }
}

extension Companion {
  fileprivate var weightsFile: String { RunFolder.weightsFile(of: name) }
  fileprivate var optimizerFile: String { RunFolder.optimizerFile(of: name) }
}
