import Foundation
import NamidInformation
import NamidTorch
import NamidTraining

/// The amount of training of the estimators of an experiment.
package struct EstimatorEffort: Hashable, Sendable {
  /// The length of the feature vectors; 2048 in the paper.
  package var units: Int
  /// The number of epochs; 25 to 50 in the authors' scripts.
  package var epochs: Int
  /// The number of training images used.
  package var images: Int
  /// The number of images per training step; estimates depend on it.
  package var batchSize: Int

  /// Creates an effort; the defaults take a few minutes for a small network on two cores.
  package init(units: Int = 256, epochs: Int = 2, images: Int = 10_000, batchSize: Int = 128) {
    self.units = units
    self.epochs = epochs
    self.images = images
    self.batchSize = batchSize
  }
}

/// A plan for the estimators of an experiment: their folder, and their training unless the folder holds them already.
package struct EstimatorPlan: Sendable {
  /// The folder of their run.
  package var folder: URL
  /// The configuration of their training; nil for existing estimators, which are only read.
  package var configuration: EstimatorConfiguration?
  /// The name under which a user can hand over such estimators, for messages.
  package var name: String

  /// Creates a plan that trains estimators unless the folder holds them; without a configuration it only reads them.
  package init(folder: URL, configuration: EstimatorConfiguration? = nil, name: String) {
    self.folder = folder
    self.configuration = configuration
    self.name = name
  }

  /// Returns the training settings of estimators on the outputs of a network, whose run folder is named as the user has
  /// named it; data, ball and attack are the network's.
  package static func configuration(
    run: String, checkpoint: CheckpointFolder.Choice, network: RunConfiguration,
    effort: EstimatorEffort, seed: Int
  ) -> EstimatorConfiguration {
    var configuration = EstimatorConfiguration()
    configuration.seed = seed
    configuration.target = run
    configuration.checkpoint = checkpoint.description
    configuration.data = network.data
    configuration.data.limit = effort.images
    configuration.threat = network.threat
    configuration.attack = network.attack
    configuration.precision = network.training.precision
    configuration.units = effort.units
    configuration.epochs = effort.epochs
    configuration.batchSize = effort.batchSize
    // The rate falls once, after two thirds of the epochs.
    configuration.milestones = [max(1, effort.epochs * 2 / 3)]
    return configuration
  }

  /// Checks that the estimators can be trained or read, without training or writing anything.
  package func check() throws {
    guard let configuration else {
      // Reading them says what is wrong.
      _ = try TrainedEstimators.read(folder)
      return
    }
    try RunFolder.check(folder, resume: true)
    let checkpoints = CheckpointFolder(run: folder)
    if checkpoints.isEmpty { return }
    let state = try checkpoints.state(.latest)
    if state.configurationHash != (try configuration.resumptionHash()) {
      throw LaboratoryError.otherEstimators(folder.relativePath, name: name)
    }
  }

  /// Reads the estimators, frozen, and trains them where training is not finished; says what work is ahead.
  package func estimators(
    data: URL, device: Device, say: (String) -> Void, report: (TrainingEvent) -> Void
  ) throws -> TrainedEstimators {
    guard let configuration else {
      say("using \(folder.relativePath)")
      return try TrainedEstimators.read(folder, device: device)
    }
    // Also for finished ones: it refuses those of another network or of other images.
    let job = try EstimatorRun(
      configuration, in: folder, data: data, resume: true, device: device)
    let done = try? CheckpointFolder(run: folder).state(.latest).epoch
    if let done, done >= configuration.epochs {
      say("using \(folder.relativePath), trained before: \(job.summary)")
    } else {
      say("training \(folder.relativePath): \(job.summary)")
    }
    try job.fit(report)
    return try TrainedEstimators(run: folder, device: device)
  }
}
