import Attacks
import Datasets
import Foundation
import Models
import MutualInformation
import NeuralNetworks
import Records
import Torch

/// Trains the natural and the adversarial MI estimator on the logits of a fixed network (Equation 4 and 5).
public final class EstimatorTrainer {
  private let configuration: EstimatorConfiguration
  private let target: Network
  private let estimators: EstimatorPair
  private let training: ImageTensors
  private let optimizers: (natural: Adam, adversarial: Adam)
  private let schedule: Schedule
  private let stream: RandomStream
  private let run: RunFolder
  private let attack: PGD
  private var completedEpochs = 0
  private var step = 0

  /// A run in a folder; resumes what is there if `run` says so.
  ///
  /// - Parameters:
  ///   - configuration: What to do.
  ///   - target: The network h_θ0, which stays as it is.
  ///   - estimators: What to train.
  ///   - training: What on.
  ///   - run: Where checkpoints and metrics go.
  /// - Throws: What stands in the way, in words that say what to do.
  public init(
    _ configuration: EstimatorConfiguration, target: Network, estimators: EstimatorPair,
    training: ImageTensors, run: RunFolder
  ) throws {
    self.configuration = configuration
    self.target = target
    self.estimators = estimators
    self.training = training
    self.run = run
    attack = configuration.attack.attack(in: configuration.threat)
    let batches = training.batches(of: configuration.batchSize, dropLast: true).count
    guard batches > 0 else {
      throw TrainingError.tooFewSamples(count: training.count, batchSize: configuration.batchSize)
    }
    schedule = Schedules.multiStep(
      configuration.learningRate, milestones: configuration.milestones.map { $0 * batches },
      gamma: configuration.gamma)
    optimizers = (Adam(estimators.natural.store), Adam(estimators.adversarial.store))
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
      let terms = try train(epoch: epoch, report: report)
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
    let batches = training.batches(
      of: configuration.batchSize, order: stream.keyed("order").keyed(epoch), dropLast: true)
    let loop = EpochLoop(epoch: epoch, epochs: configuration.epochs, interval: 5)
    return try loop.run(batches, report: report) { indices in
      let batch = training.batch(
        indices, augmentation: configuration.data.augmentation,
        streams: streams("augmentation", epoch, indices))
      return update(batch, streams("attack", epoch, indices))
    }
  }

  /// One step of both estimators; an estimator with no selected sample stays as it is.
  private func update(
    _ batch: Batch, _ streams: [RandomStream]
  ) -> [(name: String, value: Tensor)] {
    estimators.natural.store.zeroGrad()
    estimators.adversarial.store.zeroGrad()
    let losses = withPrecision(configuration.precision, on: training.device) {
      let attacked = attack.craft(
        on: target, images: batch.images, labels: batch.labels, streams: streams)
      let (natural, adversarial) = withoutGrad {
        (target.logits(batch.images), target.logits(attacked))
      }
      return estimators.trainingLosses(
        images: batch.images, attacked: attacked, labels: batch.labels, naturalLogits: natural,
        adversarialLogits: adversarial, objective: configuration.objective,
        rule: configuration.selection)
    }
    losses.natural?.backward()
    losses.adversarial?.backward()
    let rate = schedule(step)
    if losses.natural != nil { optimizers.natural.step(learningRate: rate) }
    if losses.adversarial != nil { optimizers.adversarial.step(learningRate: rate) }
    step += 1
    let share = Double(losses.selection.flipped.count) / Double(batch.indices.count)
    return [("selected", Tensor.scalar(share))]
      + [("loss_n", losses.natural), ("loss_a", losses.adversarial)].compactMap { name, loss in
        loss.map { (name, $0.detach()) }
      }
  }

  private func streams(_ purpose: String, _ epoch: Int, _ indices: [Int]) -> [RandomStream] {
    let root = stream.keyed(purpose).keyed(epoch)
    return indices.map { root.keyed(training.sampleIndices[$0]) }
  }

  // MARK: Checkpoints

  private func save() throws {
    let state = CheckpointState(
      epoch: completedEpochs, step: step, best: nil,
      configurationHash: try configuration.resumptionHash(),
      torchVersion: TorchEnvironment.read().compiledVersion)
    try run.checkpoints.save(
      state,
      files: [
        SavedEstimators.naturalFile: estimators.natural.store.state,
        SavedEstimators.adversarialFile: estimators.adversarial.store.state,
        "natural-optimizer.safetensors": optimizers.natural.state,
        "adversarial-optimizer.safetensors": optimizers.adversarial.state,
      ], keep: configuration.keep)
  }

  private func restore() throws {
    let state = try run.checkpoints.state(.latest)
    guard state.configurationHash == (try configuration.resumptionHash()) else {
      throw CheckpointError.otherConfiguration(run.url.path)
    }
    let load = { (file: String, target: ([String: Tensor]) throws(StateDictionaryError) -> Void) in
      try self.run.checkpoints.load(
        .latest, file: file, device: self.training.device, into: target)
    }
    try load(SavedEstimators.naturalFile, estimators.natural.store.load)
    try load(SavedEstimators.adversarialFile, estimators.adversarial.store.load)
    try load("natural-optimizer.safetensors", optimizers.natural.load)
    try load("adversarial-optimizer.safetensors", optimizers.adversarial.load)
    (completedEpochs, step) = (state.epoch, state.step)
  }
}
