import Foundation
import NamidAttacks
import NamidData
import NamidDefenses
import NamidInformation
import NamidNetworks
import NamidTorch

/// Trains MI estimators on the logits of a fixed network (Equations 4 and 5, or standard MI).
public final class EstimatorTrainer {
  private let configuration: EstimatorConfiguration
  private let target: Network
  private let estimators: Estimators
  private let training: ImageTensors
  private let optimizers: [Adam]
  private let schedule: Schedule
  private let stream: RandomStream
  private let run: RunFolder
  private let attack: TrainingAttack
  private let dataFingerprint: String
  private var completedEpochs = 0
  private var step = 0

  /// A run in a folder; resumes what is there if `run` says so.
  ///
  /// - Parameters:
  ///   - configuration: What to do.
  ///   - target: The network h_θ0, which stays as it is.
  ///   - estimators: What to train.
  ///   - training: What on.
  ///   - dataFingerprint: A digest of target and images, which a resume must find unchanged.
  ///   - run: Where checkpoints and metrics go.
  /// - Throws: What stands in the way, in words that say what to do.
  public init(
    _ configuration: EstimatorConfiguration, target: Network, estimators: Estimators,
    training: ImageTensors, dataFingerprint: String, run: RunFolder
  ) throws {
    self.configuration = configuration
    self.target = target
    self.estimators = estimators
    self.training = training
    self.dataFingerprint = dataFingerprint
    self.run = run
    attack = configuration.attack.attack(in: configuration.threat)
    let batches = training.batchCount(of: configuration.batchSize, dropLast: true)
    guard batches > 0 else {
      throw TrainingError.tooFewSamples(count: training.count, batchSize: configuration.batchSize)
    }
    schedule = Schedules.multiStep(
      configuration.learningRate, milestones: configuration.milestones.map { $0 * batches },
      gamma: configuration.gamma)
    optimizers = estimators.named.map { Adam($0.estimator.store) }
    stream = RandomStream(seed: configuration.seed).keyed("estimators")
    if run.isResumed { try restore() }
  }

  /// Trains all epochs that are not done yet.
  ///
  /// - Parameter report: Told what happens.
  /// - Throws: When the loss diverges or a checkpoint cannot be written; earlier ones stay.
  public func fit(report: (TrainingEvent) -> Void = { _ in }) throws {
    guard completedEpochs < configuration.epochs else { return }
    try run.open()
    for epoch in completedEpochs..<configuration.epochs {
      let begin = Date()
      let terms = try withPrecision(configuration.gradientPrecision, on: training.device) {
        try withBenchmark { try train(epoch: epoch, report: report) }
      }
      for (_, estimator) in estimators.named {
        try estimator.store.requireFinite(afterEpoch: epoch + 1)
      }
      completedEpochs = epoch + 1
      let record = EpochRecord(
        epoch: completedEpochs, step: step, learningRate: schedule(step - 1), terms: terms,
        validation: [], seconds: Date().timeIntervalSince(begin), isBest: false)
      try run.log(record)
      try save()
      report(.epoch(record))
    }
  }

  private func train(
    epoch: Int, report: (TrainingEvent) -> Void
  ) throws -> [(name: String, value: Double)] {
    estimators.isTraining = true
    defer { estimators.isTraining = false }
    // The last, smaller batch is left out: estimates depend on the batch's size.
    let batches = EpochBatches(
      of: training, size: configuration.batchSize, order: stream.keyed("order").keyed(epoch),
      dropLast: true, augmentation: configuration.data.augmentation,
      stream: stream.keyed("augmentation").keyed(epoch))
    let streams = batches.streams(stream.keyed("attack").keyed(epoch))
    let loop = EpochLoop(epoch: epoch, epochs: configuration.epochs, interval: 5)
    return try loop.run(batches.count, report: report) { number in
      update(batches[number], streams.streams(batches.range(number)))
    }
  }

  /// One step of all estimators; an estimator with no selected sample stays as it is.
  private func update(
    _ batch: Batch, _ streams: RandomStreams
  ) -> [(name: String, value: Tensor)] {
    for (_, estimator) in estimators.named { estimator.store.zeroGrad() }
    let (losses, share) = withPrecision(configuration.precision, on: training.device) {
      lossesByEstimator(batch, streams)
    }
    let rate = schedule(step)
    for (loss, optimizer) in zip(losses, optimizers) {
      guard let loss = loss.value, configuration.control != .random else { continue }
      loss.backward()
      optimizer.step(learningRate: rate)
    }
    step += 1
    return (share.map { [("selected", .scalar($0, device: training.device))] } ?? [])
      + losses.compactMap { name, loss in loss.map { (name, $0.detach()) } }
  }

  /// The loss of each estimator by name, nil without samples, and the share of selected samples.
  private func lossesByEstimator(
    _ batch: Batch, _ streams: RandomStreams
  ) -> (losses: [(name: String, value: Tensor?)], share: Double?) {
    let attacked = attack.craft(on: target, batch: batch, streams: streams)
    let (natural, adversarial) = withoutGrad {
      (target.logits(batch.images), target.logits(attacked))
    }
    // The order of a batch is random, so its neighbour is a random other sample.
    let paired = { (patterns: Tensor) in
      self.configuration.control == .shuffled ? patterns.roll([1], dims: [0]) : patterns
    }
    switch estimators {
    case .standard(let estimator):
      let loss = estimator.standardLoss(patterns: paired(attacked), logits: adversarial)
      return ([("loss_s", loss)], nil)
    case .pair(let pair):
      let losses = pair.trainingLosses(
        images: paired(batch.images), attacked: paired(attacked), labels: batch.labels,
        naturalLogits: natural, adversarialLogits: adversarial,
        objective: configuration.objective, rule: configuration.selection)
      let share = Double(losses.selection.flipped.count) / Double(batch.indices.count)
      return ([("loss_n", losses.natural), ("loss_a", losses.adversarial)], share)
    }
  }

  // MARK: Checkpoints

  private func save() throws {
    let state = CheckpointState(
      epoch: completedEpochs, step: step, best: nil,
      configurationHash: try configuration.resumptionHash(), dataFingerprint: dataFingerprint,
      torchVersion: TorchEnvironment.read().compiledVersion)
    var files: [String: [(name: String, tensor: Tensor)]] = [:]
    for ((name, estimator), optimizer) in zip(estimators.named, optimizers) {
      files[RunFolder.weightsFile(of: name)] = estimator.store.state
      files[RunFolder.optimizerFile(of: name)] = optimizer.state
    }
    try run.checkpoints.save(state, files: files, keep: configuration.keep)
  }

  private func restore() throws {
    let state = try run.checkpoints.state(.latest)
    try state.check(
      run.url.path, configuration: try configuration.resumptionHash(), data: dataFingerprint)
    for ((name, estimator), optimizer) in zip(estimators.named, optimizers) {
      try run.checkpoints.load(
        .latest, file: RunFolder.weightsFile(of: name), device: training.device,
        into: estimator.load(state:))
      try run.checkpoints.load(
        .latest, file: RunFolder.optimizerFile(of: name), device: training.device,
        into: optimizer.load)
    }
    (completedEpochs, step) = (state.epoch, state.step)
  }
}
