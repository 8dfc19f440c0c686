import NamidAttacks
import NamidData
import NamidDefenses
import NamidEvaluation
import NamidNetworks
import NamidTorch

/// Steps that train a network with a defense: attack, loss, gradients, optimizer, weight average.
final class Trainer: BatchTrainer {
  let plan: TrainingPlan
  private let configuration: RunConfiguration
  private let network: Network
  private let defense: any Defense
  private let validation: ImageTensors?
  private let device: Device
  private let optimizer: any Optimizer
  private let companions: [(companion: Companion, optimizer: Adam)]
  private let perturbation: WeightPerturbation?
  private let average: WeightAverage?
  private let recordedAttack: BatchRecordings<Tensor>?
  private let recordedStep: BatchRecordings<Terms>?
  /// The learning rate where recorded steps read it; float32, rank 0.
  private let recordedRate: Tensor

  /// A trainer of a network on its device; the validation images choose the best epoch.
  ///
  /// It throws a `TrainingError` where a step cannot be recorded as the configuration asks.
  init(
    _ configuration: RunConfiguration, network: Network, defense: any Defense,
    validation: ImageTensors?, perturbation: WeightPerturbation?
  ) throws {
    self.configuration = configuration
    self.network = network
    self.defense = defense
    self.validation = validation
    self.perturbation = perturbation
    plan = try configuration.plan()
    let settings = configuration.training
    let device = network.store.device
    self.device = device
    optimizer = configuration.optimizer.optimizer(of: network.store)
    companions = defense.companions.map { ($0, Adam($0.store)) }
    average = settings.averageDecay.map { WeightAverage(network.store, decay: $0) }
    if settings.graphs != .off, device == .cpu || !Graph.isAvailable {
      throw TrainingError.noGraphs(device)
    }
    if settings.graphs == .step, defense.asksDevice {
      throw TrainingError.stepAsksDevice(defense: defense.name)
    }
    recordedAttack = settings.graphs == .attack ? BatchRecordings(on: device) : nil
    recordedStep = settings.graphs == .step ? BatchRecordings(on: device) : nil
    recordedRate = .scalar(0, device: device)
  }

  var stores: [ParameterStore] { [network.store] + companions.map(\.companion.store) }

  var files: [CheckpointFile] {
    var files = [
      CheckpointFile(RunFolder.weightsFile, network.store),
      CheckpointFile(RunFolder.optimizerFile, optimizer),
    ]
    if let average { files.append(CheckpointFile(RunFolder.averageFile, average)) }
    for (companion, optimizer) in companions {
      files += CheckpointFile.pair(named: companion.name, companion.store, optimizer)
    }
    return files
  }

  func update(
    _ batch: Batch, streams: RandomStreams, epoch: Int, rate: Double
  ) throws -> Terms {
    let isPerturbed = perturbation?.isActive(in: epoch) ?? false
    let stage = 2 * defense.stage(epoch: epoch) + (isPerturbed ? 1 : 0)
    if let recordedStep {
      withoutGrad { _ = recordedRate.fill_(rate) }
      let terms = try recordedStep.run(batch, streams: streams, stage: stage) {
        learn($0, attacked: craft($0, $1, epoch: epoch), epoch: epoch, rate: .tensor(recordedRate))
      }
      return terms ?? []
    }
    let attacked =
      try recordedAttack?.run(batch, streams: streams, stage: stage) {
        craft($0, $1, epoch: epoch)
      } ?? (recordedAttack == nil ? craft(batch, streams, epoch: epoch) : nil)
    return learn(batch, attacked: attacked, epoch: epoch, rate: .value(rate))
  }

  /// The images to train on beside the natural ones.
  private func craft(_ batch: Batch, _ streams: RandomStreams, epoch: Int) -> Tensor? {
    inTrainingPrecision {
      defense.craft(on: network, batch: batch, streams: streams, epoch: epoch)
    }
  }

  /// Computes loss and gradients, and takes the optimizers' steps.
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
    let norm = configuration.optimizer.clipNorm.map { network.store.clipGradient(to: $0) }
    optimizer.step(rate)
    perturbed?.remove()
    for (companion, optimizer) in companions {
      optimizer.step(learningRate: companion.learningRate)
    }
    average?.update()
    return [("loss", loss.total.detach())] + loss.terms + (norm.map { [("grad_norm", $0)] } ?? [])
  }

  /// Low-precision copies of weights live no longer than one scope, and weights may be perturbed between two.
  private func inTrainingPrecision<Result>(_ body: () -> Result) -> Result {
    withPrecision(configuration.training.precision, on: device, body)
  }

  /// Clean and robust accuracy on the validation split, of the averaged weights where there are any.
  func validate() -> [(name: String, value: Double)] {
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
}

extension RunConfiguration {
  fileprivate func plan() throws -> TrainingPlan {
    TrainingPlan(
      epochs: training.epochs, batchSize: training.batchSize, dropLast: training.dropLast,
      augmentation: data.augmentation, gradientPrecision: gradientPrecision, reportInterval: 10,
      validateEvery: training.validateEvery, checkpointEvery: training.checkpointEvery,
      patience: training.patience, keep: training.keep, resumptionHash: try resumptionHash(),
      stream: RandomStream(seed: seed),
      schedule: {
        schedule.schedule(
          rate: optimizer.learningRate, epochs: training.epochs, stepsPerEpoch: $0)
      }, balanced: settings.all.first { $0.group is any BalancedSettings }?.key)
  }
}
