import Attacks
import Datasets
import Defenses
import NeuralNetworks
import Records
import Torch

/// Everything that decides what a training run does; the defaults are the paper's.
public struct RunConfiguration: ConfigurationGroup, Equatable, Sendable {
  /// Seed of all random numbers: weights, order, augmentation, attack starts, the validation split.
  public var seed = 0
  /// What to train on.
  public var data = DataSettings()
  /// What to train.
  public var model = ModelSettings()
  /// The attacker's ball, in training and validation.
  public var threat = ThreatModel(norm: .linf, epsilon: Fraction(8, over: 255))
  /// The attack that crafts the images to train on.
  public var attack = TrainingAttackSettings()
  /// How to train.
  public var defense = DefenseName.standard
  /// Choices of NAMID; read with `defense: namid`.
  public var namid = NAMID.Settings()
  /// The folder of trained estimators; needed with `defense: namid`.
  public var estimators: String?
  /// The optimizer.
  public var optimizer = OptimizerSettings()
  /// The learning rate over time.
  public var schedule = ScheduleSettings()
  /// How long, in which portions, and what is kept.
  public var training = TrainingSettings()

  /// The paper's settings for CIFAR-10.
  public init() {}

  /// The settings of the authors' released code: method, attack and length of training.
  ///
  /// Its NAMID attacks with 40 steps and starts with two epochs of ordinary training before the hundred.
  public static func reference(for defense: DefenseName) -> RunConfiguration {
    var configuration = RunConfiguration()
    configuration.defense = defense
    if defense == .namid {
      configuration.attack.steps = 40
      configuration.training.epochs = 102
      configuration.schedule.milestones = [76, 91]
    }
    configuration.model.firstConvolutionPadding = 0
    configuration.namid = .reference
    configuration.attack.stepSize = 0.007
    configuration.training.batchSize = 256
    return configuration
  }

  /// Refuses combinations that cannot work.
  public func validate() throws {
    try require(threat.epsilon.value >= 0, "threat.epsilon", "must not be negative")
    try require(threat.norm != .l1, "threat.norm", "must be linf or l2: PGD has no L1 form")
    try require(
      defense != .namid || estimators != nil, "estimators",
      "must name a folder made by `namid train-estimators` with defense namid")
  }
}

/// The ways to train that the command line knows.
public enum DefenseName: String, CaseIterable, Codable, Sendable {
  /// Ordinary training.
  case natural
  /// Adversarial training.
  case standard
  /// Adversarial training with the mutual-information loss.
  case namid
}

/// What to train on.
public struct DataSettings: ConfigurationGroup, Equatable, Sendable {
  /// A data set's name, such as `fashion-mnist`, `cifar10` or `folder:PATH`.
  public var name = "cifar10"
  /// Training images held out to choose a checkpoint with; drawn evenly from all classes.
  public var validation = 1000
  /// How many of the other training images are used; all when null.
  public var limit: Int?
  /// Random crops and flips.
  public var augmentation = Augmentation()

  /// CIFAR-10.
  public init() {}

  /// Refuses negative counts.
  public func validate() throws {
    try require(validation >= 0, "validation", "must not be negative")
    try require((limit ?? 1) > 0, "limit", "must be positive")
    try require(augmentation.cropPadding >= 0, "augmentation", "must not pad a negative number")
  }
}

/// What to train; classes and image size come from the data.
public struct ModelSettings: ConfigurationGroup, Equatable, Sendable {
  /// `resnet18` or `small-cnn`.
  public var architecture = "resnet18"
  /// Base width; 64 is the paper's ResNet-18.
  public var width = 64
  /// Zero padding of the first convolution; 0 in the authors' code.
  public var firstConvolutionPadding = 1

  /// ResNet-18.
  public init() {}

  /// Refuses a network without channels.
  public func validate() throws {
    try require(width >= 1, "width", "must be at least 1")
    try require(firstConvolutionPadding >= 0, "firstConvolutionPadding", "must not be negative")
  }
}

/// PGD for training.
public struct TrainingAttackSettings: ConfigurationGroup, Equatable, Sendable {
  /// Gradient steps.
  public var steps = 10
  /// The length of a step; ε/4 when null.
  public var stepSize: Fraction?
  /// Where it begins.
  public var start = Start.gaussian

  /// PGD-10.
  public init() {}

  /// Refuses no steps.
  public func validate() throws {
    try require(steps >= 1, "steps", "must be at least 1")
    try require((stepSize?.value ?? 1) > 0, "stepSize", "must be positive")
  }

  /// The attack in a ball.
  public func attack(in threat: ThreatModel) -> PGD {
    PGD(threat: threat, steps: steps, stepSize: stepSize?.value, start: start)
  }
}
