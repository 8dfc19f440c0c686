import Foundation
import NamidInformation
import NamidTorch
import NamidTraining

/// How much is done to train the estimators of an experiment.
package struct EstimatorEffort: Hashable, Sendable {
  /// Length of the feature vectors; 2048 in the paper.
  package var units: Int
  /// Passes over the training images; 25 to 50 in the authors' scripts.
  package var epochs: Int
  /// Training images used.
  package var images: Int
  /// Images per step, on which estimates depend.
  package var batchSize: Int

  /// An effort; the defaults take a few minutes for a small network on two cores.
  package init(units: Int = 256, epochs: Int = 2, images: Int = 10_000, batchSize: Int = 128) {
    self.units = units
    self.epochs = epochs
    self.images = images
    self.batchSize = batchSize
  }
}

/// Estimators of an experiment: where they lie, and how they are trained where they do not lie there yet.
package struct EstimatorPlan: Sendable {
  /// The folder of their run.
  package var folder: URL
  /// How they are trained; nil for estimators that somebody else has trained.
  package var configuration: EstimatorConfiguration?
  /// What the estimators are called where they can be handed over, for messages.
  package var name: String

  /// Estimators that are there already.
  package init(existing folder: URL, name: String) {
    self.folder = folder
    self.name = name
  }

  /// Estimators to be trained unless the folder holds them.
  package init(folder: URL, configuration: EstimatorConfiguration, name: String) {
    self.folder = folder
    self.configuration = configuration
    self.name = name
  }

  /// What estimators on a network's outputs share; data, ball and attack are the network's.
  ///
  /// - Parameters:
  ///   - run: The network's run folder, as the user has named it.
  ///   - checkpoint: Which of its checkpoints.
  ///   - network: Its configuration.
  ///   - effort: How much is done.
  ///   - seed: Seed of all random numbers.
  /// - Returns: The settings.
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

  /// Throws what would stand in the way of training or reading; nothing is trained or written.
  package func check() throws {
    let checkpoints = CheckpointFolder(run: folder)
    guard let configuration else {
      // Reading them says what is wrong.
      _ = try TrainedEstimators.read(folder)
      return
    }
    try RunFolder.check(folder, resume: true)
    if checkpoints.isEmpty { return }
    let state = try checkpoints.state(.latest)
    if state.configurationHash != (try configuration.resumptionHash()) {
      throw LaboratoryError.otherEstimators(folder.relativePath, name: name)
    }
  }

  /// The estimators; trains what is missing.
  ///
  /// - Parameters:
  ///   - data: The folder that holds data sets.
  ///   - device: Where to compute.
  ///   - say: Told what is going to be done.
  ///   - report: Told how training goes on.
  /// - Returns: The estimators, frozen.
  /// - Throws: What stands in the way, in words that say what to do.
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
