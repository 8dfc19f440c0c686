import Foundation
import NamidData
import NamidNetworks
import NamidTorch

/// Named numbers on the device, such as a loss and its parts.
typealias Terms = [(name: String, value: Tensor)]

/// A learner that a `TrainingLoop` trains batch by batch: a network with its defense, or estimators.
protocol BatchTrainer {
  /// The settings of the loop around the steps.
  var plan: TrainingPlan { get }
  /// The parameters and statistics that training changes.
  var stores: [ParameterStore] { get }
  /// The files of a checkpoint.
  var files: [CheckpointFile] { get }

  /// Takes one optimizer step on a batch.
  ///
  /// - Parameters:
  ///   - batch: Images and labels on the device.
  ///   - streams: One random stream per sample, for the attack.
  ///   - epoch: The epoch, counted from 0.
  ///   - rate: The learning rate of the step.
  /// - Returns: The loss and its terms, of rank 0.
  /// - Throws: `EngineError` when recorded work cannot be recorded or repeated.
  func update(_ batch: Batch, streams: RandomStreams, epoch: Int, rate: Double) throws -> Terms

  /// Figures on the validation images, the last of which chooses the best epoch; none without such images.
  func validate() -> [(name: String, value: Double)]
}

/// The settings of a `TrainingLoop`.
struct TrainingPlan {
  let epochs: Int
  let batchSize: Int
  let dropLast: Bool
  let augmentation: Augmentation
  /// The precision of those products of a gradient that are not in bfloat16.
  let gradientPrecision: Precision
  /// Batches between two looks at the terms; each look waits for the device.
  let reportInterval: Int
  /// Epochs from one validation to the next, and from one checkpoint to the next.
  var validateEvery = 1
  var checkpointEvery = 1
  /// Epochs without a better validation after which training stops; nil for never.
  var patience: Int?
  /// The number of checkpoints that stay, besides the best one.
  let keep: Int
  /// A digest of all settings that a resumed run must share.
  let resumptionHash: String
  /// The stream that order, augmentation and attacks are drawn from.
  let stream: RandomStream
  /// The learning rate for each step, given the number of steps in an epoch.
  let schedule: (_ stepsPerEpoch: Int) -> Schedule
  /// The settings of a term that is added to the loss, by their key; nil where there is none.
  var balanced: String?
}

/// Epochs of training: order, augmentation, steps, validation, metrics, checkpoints.
///
/// Every random number comes from a stream keyed by the seed, its purpose, the epoch and the sample, so a run that
/// was killed and resumed ends exactly where an uninterrupted one does.
final class TrainingLoop {
  private let trainer: any BatchTrainer
  private let plan: TrainingPlan
  private let images: ImageTensors
  private let dataFingerprint: String
  private let run: RunFolder
  private let schedule: Schedule

  private var completedEpochs = 0
  private var step = 0
  private var best: CheckpointState.Best?
  private var watch: CollapseWatch?

  /// A loop over images whose run is kept in a folder; continues the run that is there if `run` says so.
  ///
  /// The fingerprint is a digest of all that is trained on, which a resume must find unchanged. It throws
  /// `TrainingError.tooFewSamples`, or a `CheckpointError` where the run cannot be continued.
  init(
    _ trainer: any BatchTrainer, on images: ImageTensors, dataFingerprint: String, run: RunFolder
  ) throws {
    self.trainer = trainer
    self.images = images
    self.dataFingerprint = dataFingerprint
    self.run = run
    plan = trainer.plan
    let batches = images.batchCount(of: plan.batchSize, dropLast: plan.dropLast)
    guard batches > 0 else {
      throw TrainingError.tooFewSamples(count: images.count, batchSize: plan.batchSize)
    }
    schedule = plan.schedule(batches)
    watch = plan.balanced.map(CollapseWatch.init)
    if run.isResumed { try restore() }
  }

  /// True when nothing is left to do.
  private var isFinished: Bool { completedEpochs >= plan.epochs || hasStoppedEarly }

  /// True when validation has not improved for as many epochs as the plan waits for it.
  var hasStoppedEarly: Bool {
    guard let patience = plan.patience, let best else { return false }
    return completedEpochs - best.epoch >= patience && isDue(plan.validateEvery)
  }

  /// True after every so-many-th epoch, and after the last one.
  private func isDue(_ interval: Int) -> Bool {
    completedEpochs % interval == 0 || completedEpochs == plan.epochs
  }

  /// Trains all epochs that are not done yet.
  ///
  /// - Throws: An error when loss or weights diverge or a checkpoint cannot be written; earlier ones stay.
  func fit(_ report: (TrainingEvent) -> Void) throws {
    if isFinished { return }
    try run.open()
    while !isFinished {
      let begin = Date()
      let terms = try withPrecision(plan.gradientPrecision, on: images.device) {
        try withBenchmark { try trainAnEpoch(report) }
      }
      for store in trainer.stores { try store.requireFinite(afterEpoch: completedEpochs + 1) }
      completedEpochs += 1
      let seconds = Date().timeIntervalSince(begin)
      let validation = isDue(plan.validateEvery) ? trainer.validate() : []
      let isBest = validation.last.map { $0.value > best?.value ?? -1 } ?? false
      if isBest, let value = validation.last?.value {
        best = CheckpointState.Best(epoch: completedEpochs, value: value)
      }
      let record = EpochRecord(
        epoch: completedEpochs, step: step, learningRate: schedule(step - 1), terms: terms,
        validation: validation, seconds: seconds, isBest: isBest)
      try run.log(record)
      if isBest || isFinished || isDue(plan.checkpointEvery) { try save() }
      report(.epoch(record))
      if let warning = watch?.warning(after: terms) { report(.warning(warning)) }
    }
  }

  /// Takes the steps of one epoch; returns the mean of each term.
  private func trainAnEpoch(
    _ report: (TrainingEvent) -> Void
  ) throws -> [(name: String, value: Double)] {
    let stores = trainer.stores
    for store in stores { store.isTraining = true }
    defer { for store in stores { store.isTraining = false } }
    let epoch = completedEpochs
    let batches = EpochBatches(
      of: images, size: plan.batchSize, order: plan.stream.keyed("order").keyed(epoch),
      dropLast: plan.dropLast, augmentation: plan.augmentation,
      stream: plan.stream.keyed("augmentation").keyed(epoch))
    let streams = batches.streams(plan.stream.keyed("attack").keyed(epoch))
    var means = TermMeans()
    var values: [(name: String, value: Double)] = []
    for number in 0..<batches.count {
      means.add(
        try trainer.update(
          batches[number], streams: streams.streams(batches.range(number)), epoch: epoch,
          rate: schedule(step)))
      step += 1
      let done = number + 1
      guard done % plan.reportInterval == 0 || done == batches.count else { continue }
      values = means.values
      watch?.look(at: values)
      guard values.allSatisfy(\.value.isFinite) else {
        let text = values.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        throw TrainingError.diverged(epoch: epoch + 1, batch: done, terms: text)
      }
      report(
        .progress(
          epoch: epoch + 1, of: plan.epochs, batch: done, batches: batches.count, terms: values))
    }
    return values
  }

  // MARK: Checkpoints

  private func save() throws {
    let state = CheckpointState(
      epoch: completedEpochs, step: step, best: best, configurationHash: plan.resumptionHash,
      dataFingerprint: dataFingerprint, torchVersion: TorchEnvironment.read().compiledVersion)
    let files = trainer.files.map { ($0.name, $0.state()) }
    try run.checkpoints.save(
      state, files: Dictionary(uniqueKeysWithValues: files), keep: plan.keep)
  }

  private func restore() throws {
    let state = try run.checkpoints.state(.latest)
    try state.check(run.url.path, configuration: plan.resumptionHash, data: dataFingerprint)
    for file in trainer.files {
      try run.checkpoints.load(
        .latest, file: file.name, device: images.device, into: file.load)
    }
    (completedEpochs, step, best) = (state.epoch, state.step, state.best)
  }
}
