import NamidNetworks
import NamidSettings
import NamidTorch

/// The optimizer.
public struct OptimizerSettings: ConfigurationGroup, Equatable, Sendable {
  /// The kinds of optimizer.
  public enum Kind: String, CaseIterable, Codable, Sendable {
    /// Stochastic gradient descent with momentum.
    case sgd
    /// Adam (Kingma and Ba, ICLR 2015).
    case adam
    /// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).
    case adamw
  }

  /// The kind of optimizer.
  public var kind = Kind.sgd
  /// The learning rate that the schedule starts from or reaches.
  public var learningRate = 0.1
  /// Momentum of SGD.
  public var momentum = 0.9
  /// Strength of weight decay, on all parameters.
  public var weightDecay = 2e-4
  /// Nesterov's variant of momentum.
  public var nesterov = false
  /// The length to which the whole gradient is shortened where it is longer, with any defense; never when null.
  public var clipNorm: Double?

  /// SGD as in the paper.
  public init() {}

  /// Refuses negative values.
  public func validate() throws {
    try require(learningRate > 0, "learningRate", "must be positive")
    try require(momentum >= 0 && momentum < 1, "momentum", "must lie in [0, 1)")
    try require(weightDecay >= 0, "weightDecay", "must not be negative")
    try require(!nesterov || momentum > 0, "nesterov", "needs momentum")
    try require((clipNorm ?? 1) > 0, "clipNorm", "must be positive")
  }

  /// The optimizer of a store's parameters.
  public func optimizer(of store: ParameterStore) -> any Optimizer {
    switch kind {
    case .sgd:
      SGD(store, momentum: momentum, weightDecay: weightDecay, nesterov: nesterov)
    case .adam: Adam(store, weightDecay: weightDecay)
    case .adamw: Adam(store, weightDecay: weightDecay, decoupled: true)
    }
  }
}

/// The learning rate over time.
public struct ScheduleSettings: ConfigurationGroup, Equatable, Sendable {
  /// The kinds of schedule.
  public enum Kind: String, CaseIterable, Codable, Sendable {
    /// One rate throughout.
    case constant
    /// Multiplied by `gamma` at each milestone.
    case multiStep = "multi-step"
    /// Along half a cosine to 0.
    case cosine
    /// A rise to the rate and then a fall (Smith and Topin, 2018).
    case oneCycle = "one-cycle"
  }

  /// The kind of schedule.
  public var kind = Kind.multiStep
  /// Epochs (counted from 0) from which a multi-step schedule multiplies the rate by `gamma`.
  public var milestones = [74, 89]
  /// The factor of a multi-step schedule.
  public var gamma = 0.1
  /// The share of a one-cycle schedule in which the rate rises.
  public var warmUp = 0.3
  /// Epochs at the start in which the rate of any schedule rises from nothing along a line.
  public var rampEpochs = 0

  /// The paper's: a tenth from the 75th and again from the 90th epoch.
  public init() {}

  /// Refuses shares outside (0, 1).
  public func validate() throws {
    try require(warmUp > 0 && warmUp < 1, "warmUp", "must lie in (0, 1)")
    try require(gamma > 0, "gamma", "must be positive")
    try require(
      (0...TrainingSettings.mostEpochs).contains(rampEpochs), "rampEpochs",
      "must be from 0 to \(TrainingSettings.mostEpochs)")
    try require(
      milestones.allSatisfy { (0...TrainingSettings.mostEpochs).contains($0) }, "milestones",
      "must be epochs from 0 to \(TrainingSettings.mostEpochs)")
  }

  /// The rate for each step.
  public func schedule(rate: Double, epochs: Int, stepsPerEpoch: Int) -> Schedule {
    let steps = epochs * stepsPerEpoch
    let schedule =
      switch kind {
      case .constant: Schedules.constant(rate)
      case .multiStep:
        Schedules.multiStep(rate, milestones: milestones.map { $0 * stepsPerEpoch }, gamma: gamma)
      case .cosine: Schedules.cosine(rate, steps: steps)
      case .oneCycle: Schedules.oneCycle(rate, steps: steps, warmUp: warmUp)
      }
    return rampEpochs == 0 ? schedule : Schedules.ramp(schedule, steps: rampEpochs * stepsPerEpoch)
  }
}

/// The part of a training step that is a CUDA graph.
public enum GraphUse: String, CaseIterable, Codable, Sendable {
  /// None.
  case off
  /// The attack that crafts the images.
  case attack
  /// The whole step: attack, loss, gradients, optimizer, average.
  case step
}

/// The length of training, its portions, and the checkpoints that are kept.
public struct TrainingSettings: ConfigurationGroup, Equatable, Sendable {
  /// Passes over the training images.
  public var epochs = 100
  /// Images per step.
  public var batchSize = 1024
  /// True to leave out an epoch's smaller last batch.
  public var dropLast = false
  /// The precision in which networks compute in training; measuring is always float32.
  public var precision = Precision.bfloat16
  /// The part of a step that is recorded once and then repeated on a CUDA device, instead of asked for operator by
  /// operator.
  public var graphs = GraphUse.off
  /// The decay of an exponential moving average of the weights; none when null.
  public var averageDecay: Double?
  /// The share of each label that is spread evenly over all classes, in any defense's cross-entropy.
  public var labelSmoothing = 0.0
  /// Steps of the PGD that validates each epoch; 0 validates clean accuracy only.
  public var validationSteps = 10
  /// Epochs from one validation to the next; the last epoch always has one.
  public var validateEvery = 1
  /// Epochs without a better validation after which training stops, noticed by the next validation; it never stops
  /// early when null.
  public var patience: Int?
  /// Epochs from one checkpoint to the next; the last epoch, and one that validates best so far, always leave one.
  public var checkpointEvery = 1
  /// The number of checkpoints that stay, besides the best one.
  public var keep = 2

  /// The paper's.
  public init() {}

  /// More than anybody can wait for, and few enough to be counted in steps.
  static let mostEpochs = 1_000_000

  /// Refuses empty runs, and endless ones.
  public func validate() throws {
    try require(epochs >= 1, "epochs", "must be at least 1")
    try require(epochs <= Self.mostEpochs, "epochs", "must be at most \(Self.mostEpochs)")
    try require(batchSize >= 1, "batchSize", "must be at least 1")
    try require(keep >= 1, "keep", "must be at least 1")
    try require(validateEvery >= 1, "validateEvery", "must be at least 1")
    try require(checkpointEvery >= 1, "checkpointEvery", "must be at least 1")
    try require(
      (0...1_000_000).contains(validationSteps), "validationSteps", "must be from 0 to 1000000")
    try require(
      labelSmoothing >= 0 && labelSmoothing < 1, "labelSmoothing", "must lie in [0, 1)")
    try require((patience ?? 1) >= 1, "patience", "must be at least 1")
    if let decay = averageDecay {
      try require(decay > 0 && decay < 1, "averageDecay", "must lie in (0, 1)")
    }
  }
}
