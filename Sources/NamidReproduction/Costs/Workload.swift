import NamidAttacks
import NamidNetworks
import NamidTorch
import NamidTraining

/// The amount of work in a step: the number of images and the passes that each of them takes.
package struct Workload: Hashable, Sendable {
  /// Images that all cost the same.
  package struct Item: Hashable, Sendable {
    /// Images, counted as often as they are seen.
    package var images: Double
    /// The passes that each image takes.
    package var passes: PassCount
    /// The precision of the passes.
    package var precision: Precision
  }

  /// The network.
  package var network: NetworkSpecification
  /// Images per batch.
  package var batchSize: Int
  /// The items of the work.
  package var items: [Item]
  /// Length of the estimators' feature vectors; nil without estimators.
  package var units: Int?
  /// Bytes of the images in memory.
  package var dataBytes: Int
  /// Copies of network or estimators on disk, in values per trained value.
  package var savedCopies: Double
  /// True where estimators are trained, false where a network is.
  package var trainsEstimators: Bool

  /// An amount of work.
  package init(
    network: NetworkSpecification, batchSize: Int, items: [Item], units: Int? = nil,
    dataBytes: Int = 0, savedCopies: Double = 0, trainsEstimators: Bool = false
  ) {
    self.network = network
    self.batchSize = batchSize
    self.items = items
    self.units = units
    self.dataBytes = dataBytes
    self.savedCopies = savedCopies
    self.trainsEstimators = trainsEstimators
  }
}

extension PlanBuilder {
  /// The network of some settings on some images.
  func specification(
    _ model: ModelSettings, _ facts: DataFacts
  ) -> NetworkSpecification {
    NetworkSpecification(
      architecture: model.architecture,
      width: model.width,
      firstConvolutionPadding: model.firstConvolutionPadding, classCount: facts.classCount,
      channels: facts.shape[0], imageHeight: facts.shape[1], imageWidth: facts.shape[2],
      among: settings.catalog.architectures)
  }

  func trainingImages(_ data: DataSettings, _ facts: DataFacts) -> Int {
    let rest = max(0, facts.trainCount - data.validation)
    return min(data.limit ?? rest, rest)
  }

  /// The epochs of a training, with validation after each.
  func workload(training configuration: RunConfiguration, row: String) -> Workload? {
    guard let facts = facts[configuration.data.name] else { return nil }
    let settings = configuration.training
    let epochs = Double(settings.epochs)
    let images = Double(trainingImages(configuration.data, facts))
    let validation = PGD(in: configuration.threat) { $0.steps = settings.validationSteps }
    let units = recipe.rows[row]?.estimators.flatMap { name -> Int? in
      try? self.settings.estimators(name, target: configuration).units
    }
    return Workload(
      network: specification(configuration.model, facts), batchSize: settings.batchSize,
      items: [
        .init(
          images: epochs * images, passes: .training(configuration, catalog: self.settings.catalog),
          precision: settings.precision),
        .init(
          images: (epochs / Double(settings.validateEvery)).rounded(.up)
            * Double(configuration.data.validation),
          passes: PassCount(forwards: 1) + .attack(validation), precision: .float32),
      ], units: units, dataBytes: facts.bytes,
      // The last and the best epoch, and one that is being written; weights and momentum.
      savedCopies: 6)
  }

  /// The epochs of estimators.
  func workload(
    estimators configuration: EstimatorConfiguration, of network: RunConfiguration
  ) -> Workload? {
    guard let facts = facts[configuration.data.name] else { return nil }
    let images = trainingImages(configuration.data, facts)
    return Workload(
      network: specification(network.model, facts), batchSize: configuration.batchSize,
      items: [
        .init(
          images: Double(images) * Double(configuration.epochs), passes: .estimators(configuration),
          precision: configuration.precision)
      ], units: configuration.units, dataBytes: facts.bytes,
      // Two epochs of weights with both moments of Adam.
      savedCopies: configuration.kind == .pair ? 12 : 6, trainsEstimators: true)
  }

  /// An evaluation under some attacks.
  func workload(
    evaluation attacks: [String], limit: Int?, of configuration: RunConfiguration
  ) -> Workload? {
    guard let facts = facts[configuration.data.name] else { return nil }
    let images = Double(min(limit ?? facts.testCount, facts.testCount))
    let passes = attacks.compactMap { text in
      try? settings.catalog.attacks(text, in: configuration.threat)
    }.joined().reduce(PassCount(forwards: 2)) { $0 + .attack($1) }
    return Workload(
      network: specification(configuration.model, facts), batchSize: 128,
      items: [.init(images: images, passes: passes, precision: .float32)],
      dataBytes: facts.testCount * facts.shape.reduce(1, *))
  }

  /// A measurement of mutual information: attacks with the whole budget for every image.
  func workload(
    probe attacks: [String], limit: Int, of configuration: RunConfiguration
  ) -> Workload? {
    guard var workload = workload(evaluation: attacks, limit: limit, of: configuration) else {
      return nil
    }
    workload.items[0].passes = 2 * workload.items[0].passes
    return workload
  }
}
