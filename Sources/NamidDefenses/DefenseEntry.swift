import NamidInformation
import NamidNetworks
import NamidTorch

/// A defense that can be asked for by name.
public struct DefenseEntry: Sendable {
  /// Builds a defense from its parts.
  public typealias Make = @Sendable (DefenseParts) throws -> any Defense

  /// The name on the command line and in files.
  public let name: String
  /// One line that says what it is.
  public let summary: String
  /// The paper that defines it.
  public let source: String
  /// The groups of settings that it reads, each with its defaults.
  public let settings: [any DefenseSettings.Type]
  /// The trained estimators that it needs, by its settings.
  public let estimators: @Sendable (SettingsGroups) -> EstimatorNeed
  /// The perturbation of weights that goes with it where nothing else is said.
  public let weightPerturbation: WeightPerturbation.Defaults
  /// The settings of its paper's own experiments where they differ from those of this project, as `key=value`.
  public let recipe: [String]
  /// The passes of a training step for each image.
  public let passes: TrainingPasses
  /// Builds the defense.
  public let make: Make

  /// A defense by name, whose need of estimators depends on its settings.
  public init(
    name: String, summary: String, source: String, settings: [any DefenseSettings.Type] = [],
    estimators: @escaping @Sendable (SettingsGroups) -> EstimatorNeed,
    weightPerturbation: WeightPerturbation.Defaults = .usual, recipe: [String] = [],
    passes: TrainingPasses = TrainingPasses(), make: @escaping Make
  ) {
    self.name = name
    self.summary = summary
    self.source = source
    self.settings = settings
    self.estimators = estimators
    self.weightPerturbation = weightPerturbation
    self.recipe = recipe
    self.passes = passes
    self.make = make
  }

  /// A defense by name.
  public init(
    name: String, summary: String, source: String, settings: [any DefenseSettings.Type] = [],
    estimators: EstimatorNeed = .none, weightPerturbation: WeightPerturbation.Defaults = .usual,
    recipe: [String] = [], passes: TrainingPasses = TrainingPasses(), make: @escaping Make
  ) {
    self.init(
      name: name, summary: summary, source: source, settings: settings,
      estimators: { _ in estimators }, weightPerturbation: weightPerturbation, recipe: recipe,
      passes: passes, make: make)
  }

  /// All defenses that come with this library.
  public static let all: [DefenseEntry] =
    [NaturalTraining.entry, StandardAT.entry, TRADES.entry, MART.entry, WMIM.entry]
    + NAMID.entries
}

/// The passes that one image takes in a training step, for estimates of time.
public struct TrainingPasses: Hashable, Sendable {
  /// Gradients with respect to the image for each step of the training attack.
  public var gradientsPerStep: Double
  /// Evaluations with a gradient with respect to the weights.
  public var updates: Double
  /// Evaluations of an estimator, whose features and their gradient cost about the same.
  public var features: Double

  /// Passes; those of standard adversarial training unless given.
  public init(gradientsPerStep: Double = 1, updates: Double = 1, features: Double = 0) {
    self.gradientsPerStep = gradientsPerStep
    self.updates = updates
    self.features = features
  }
}

/// The trained estimators that a defense needs.
public enum EstimatorNeed: Hashable, Sendable {
  /// None; a folder of estimators that is given is not read.
  case none
  /// Some of this kind.
  case required(EstimatorKind)
  /// Some of this kind, or none.
  case optional(EstimatorKind)
}

/// The parts that a defense is built from.
public struct DefenseParts {
  /// The network that will be trained.
  public let network: Network
  /// Crafts images in the run's ball with the run's settings.
  public let attack: TrainingAttack
  /// The cross-entropy to train on.
  public let labelLoss: LabelLoss
  /// Trained estimators of the kind that the defense asked for; nil where it asked for none.
  public let estimators: Estimators?
  /// Initial values of the defense's own networks are drawn from it.
  public let stream: RandomStream
  private let settings: SettingsGroups

  /// The parts of a defense.
  public init(
    network: Network, attack: TrainingAttack, labelLoss: LabelLoss = LabelLoss(),
    estimators: Estimators? = nil, stream: RandomStream = RandomStream(seed: 0),
    settings: SettingsGroups = SettingsGroups()
  ) {
    self.network = network
    self.attack = attack
    self.labelLoss = labelLoss
    self.estimators = estimators
    self.stream = stream
    self.settings = settings
  }

  /// A group of settings.
  public subscript<Group: DefenseSettings>(_ type: Group.Type) -> Group { settings[type] }

  /// The estimators of natural and adversarial MI.
  ///
  /// - Throws: `DefenseError` where there are none.
  public func pair() throws -> EstimatorPair {
    guard case .pair(let pair) = estimators else { throw DefenseError.noEstimators(.pair) }
    return pair
  }

  /// The estimator of standard MI, if there is one.
  public var standardEstimator: Estimator? {
    if case .standard(let estimator) = estimators { return estimator }
    return nil
  }
}

/// A defense that cannot be built.
public enum DefenseError: Error, CustomStringConvertible, Sendable {
  /// Estimators of this kind are missing.
  case noEstimators(EstimatorKind)

  /// A sentence on what is wrong and what to do.
  public var description: String {
    switch self {
    case .noEstimators(let kind):
      "the defense needs trained estimators of \(kind.rawValue) MI: train them and name their folder"
    }
  }
}
