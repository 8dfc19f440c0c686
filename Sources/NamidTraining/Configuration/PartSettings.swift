import NamidAttacks
import NamidData
import NamidDefenses
import NamidSettings

/// The images to train on.
public struct DataSettings: ConfigurationGroup, Equatable, Sendable {
  /// A data set's name, such as `fashion-mnist`, `cifar10` or `folder:PATH`.
  public var name = "cifar10"
  /// Training images held out to choose a checkpoint with; drawn evenly from all classes.
  public var validation = 1000
  /// The number of other training images that are used; all when null.
  public var limit: Int?
  /// Random crops and flips.
  public var augmentation = Augmentation()

  /// CIFAR-10.
  public init() {}

  /// Refuses negative counts.
  public func validate() throws {
    try require(validation >= 0, "validation", "must not be negative")
    try require((limit ?? 1) > 0, "limit", "must be positive")
    try require(
      (0...1024).contains(augmentation.cropPadding), "augmentation", "must pad 0 to 1024 pixels")
  }
}

/// The network to train; classes and image size come from the data.
public struct ModelSettings: ConfigurationGroup, Equatable, Sendable {
  /// A network's name, such as `resnet18`, `wideresnet-34-10` or `small-cnn`.
  public var architecture = "resnet18"
  /// Base width; the architecture's own when null, as 64 for the paper's ResNet-18.
  public var width: Int?
  /// Zero padding of the first convolution; 0 in the authors' code.
  public var firstConvolutionPadding = 1

  /// ResNet-18.
  public init() {}

  /// Refuses a network without channels.
  public func validate() throws {
    try require((width ?? 1) >= 1, "width", "must be at least 1")
    try require(firstConvolutionPadding >= 0, "firstConvolutionPadding", "must not be negative")
  }
}

/// PGD for training.
public struct TrainingAttackSettings: ConfigurationGroup, Equatable, Sendable {
  /// Gradient steps.
  public var steps = 10
  /// The length of a step; ε/4 when null.
  public var stepSize: Fraction?
  /// The starting point within the ball.
  public var start = Start.gaussian
  /// The mode of batch normalisation during the attack.
  public var batchNorm = BatchNormMode.evaluation

  /// PGD-10.
  public init() {}

  /// Refuses no steps.
  public func validate() throws {
    try require((1...1_000_000).contains(steps), "steps", "must be from 1 to 1000000")
    try require((stepSize?.value ?? 1) > 0, "stepSize", "must be positive")
  }

  /// The attack in a ball.
  public func attack(in threat: ThreatModel) -> TrainingAttack {
    TrainingAttack(
      PGD(in: threat) {
        $0.steps = steps
        if let stepSize { $0.stepSize = stepSize.value }
        $0.start = start
      },
      batchNorm: batchNorm)
  }
}
