import Foundation
import NamidAttacks
import NamidTraining

/// The size of the quickstart's runs.
package struct QuickstartPlan: Sendable {
  /// The number of training images used; nil for all.
  var trainingLimit: Int?
  /// The number of test images used.
  var testCount: Int
  var naturalEpochs: Int
  /// The number of epochs of standard adversarial training and of NAMID.
  var robustEpochs: Int
  var estimatorEpochs: Int
  /// The number of training images that an epoch of the estimators uses.
  var estimatorLimit: Int
  /// The number of steps of the measuring attack.
  var measuringSteps = 40
  var seed = 0

  /// The full quickstart, which takes a few minutes on two cores.
  package static let full = QuickstartPlan(
    trainingLimit: nil, testCount: 5_000, naturalEpochs: 6, robustEpochs: 3, estimatorEpochs: 2,
    estimatorLimit: 20_000)

  /// A plan of the same steps on little data, which takes seconds and shows that everything works.
  package static let smoke = QuickstartPlan(
    trainingLimit: 4_000, testCount: 500, naturalEpochs: 1, robustEpochs: 1, estimatorEpochs: 1,
    estimatorLimit: 4_000)

  /// The number of samples per batch, equal for all networks because estimates depend on it.
  let batchSize = 128

  static let threat = ThreatModel(norm: .linf, epsilon: 0.1)

  /// The settings that all three networks share.
  private var common: RunConfiguration {
    var configuration = RunConfiguration.balanced
    configuration.seed = seed
    configuration.data.name = "fashion-mnist"
    configuration.data.limit = trainingLimit
    configuration.data.augmentation.cropPadding = 2
    configuration.model.architecture = "small-cnn"
    configuration.model.width = 16
    configuration.threat = Self.threat
    // Adam: without batch normalisation, SGD's steps along the MI loss of a fresh network end in a constant output.
    configuration.optimizer.kind = .adam
    configuration.optimizer.learningRate = 2e-3
    configuration.optimizer.weightDecay = 0
    configuration.schedule.kind = .oneCycle
    configuration.training.batchSize = batchSize
    configuration.training.precision = .float32
    return configuration
  }

  /// Returns the settings of one of the networks; the namid defenses need the run of trained estimators.
  func network(_ defense: DefenseName, estimators: URL? = nil) -> RunConfiguration {
    var configuration = common
    configuration.defense = defense
    configuration.training.epochs = defense == .natural ? naturalEpochs : robustEpochs
    configuration.estimators = estimators?.path
    return configuration
  }

  func estimators(target: URL) -> EstimatorConfiguration {
    var configuration = EstimatorConfiguration()
    configuration.seed = seed
    configuration.target = target.path
    configuration.data = common.data
    configuration.data.limit = estimatorLimit
    configuration.threat = Self.threat
    configuration.units = 128
    configuration.epochs = estimatorEpochs
    configuration.batchSize = batchSize
    configuration.milestones = [1]
    configuration.precision = .float32
    return configuration
  }
}
