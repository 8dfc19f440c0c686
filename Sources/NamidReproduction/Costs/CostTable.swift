import NamidNetworks
import NamidTorch

/// The costs of passes through one network on this machine, in seconds per image.
package struct NetworkCosts: Hashable, Sendable {
  /// An evaluation.
  package var forward: Double
  /// An evaluation with a gradient with respect to the image.
  package var gradient: Double
  /// An evaluation with a gradient with respect to the weights.
  package var update: Double
  /// Trainable values.
  package var parameters: Int

  /// Measured costs.
  package init(forward: Double, gradient: Double, update: Double, parameters: Int) {
    self.forward = forward
    self.gradient = gradient
    self.update = update
    self.parameters = parameters
  }
}

/// The costs of features of one kind of estimator on this machine.
package struct FeatureCosts: Hashable, Sendable {
  /// Seconds per image and estimator.
  package var seconds: Double
  /// Trainable values of one estimator.
  package var parameters: Int

  /// Measured costs.
  package init(seconds: Double, parameters: Int) {
    self.seconds = seconds
    self.parameters = parameters
  }
}

/// A network as it is measured.
package struct NetworkKey: Hashable, Sendable {
  /// The network.
  package var network: NetworkSpecification
  /// The precision of its passes.
  package var precision: Precision
}

/// Estimators as they are measured.
package struct FeatureKey: Hashable, Sendable {
  /// Length of the feature vectors.
  package var units: Int
  /// Channels of the images.
  package var channels: Int
  /// Their height.
  package var height: Int
  /// Their width.
  package var width: Int
}

/// The costs of passes on this machine, and estimates of the time that steps will take, made from them.
package struct CostTable: Sendable {
  /// Costs of networks.
  package var networks: [NetworkKey: NetworkCosts] = [:]
  /// Costs of estimators' features.
  package var features: [FeatureKey: FeatureCosts] = [:]

  /// An empty table.
  package init() {}

  /// Seconds that a call of the tool takes before it does anything, with reading data.
  static let startSeconds = 1.0

  /// The time and memory of a step.
  package struct Estimate: Hashable, Sendable {
    /// Seconds.
    package var seconds: Double
    /// Bytes of memory at most.
    package var memory: Double
    /// Bytes on disk.
    package var disk: Double

    /// An estimate.
    package init(seconds: Double, memory: Double, disk: Double) {
      self.seconds = seconds
      self.memory = memory
      self.disk = disk
    }
  }

  /// The estimate of some work; nil where something in it was not measured.
  package func estimate(_ work: Workload) -> Estimate? {
    var seconds = Self.startSeconds
    var parameters = 0
    let features = work.units.map { self.features[FeatureKey(work, units: $0)] } ?? nil
    if work.units != nil, features == nil { return nil }
    for item in work.items {
      let key = NetworkKey(network: work.network, precision: item.precision)
      guard let costs = networks[key] else { return nil }
      parameters = costs.parameters
      let passes = item.passes
      let each =
        passes.forwards * costs.forward + passes.gradients * costs.gradient
        + passes.updates * costs.update + passes.features * (features?.seconds ?? 0)
        + passes.seconds
      seconds += item.images * each
    }
    let trained = work.trainsEstimators ? features?.parameters ?? 0 : parameters
    return Estimate(
      seconds: seconds, memory: memory(work, parameters: parameters, features: features),
      disk: 4 * work.savedCopies * Double(trained))
  }

  /// Estimates memory: the library, images, weights with gradients and momentum, activations, features and gradients.
  private func memory(_ work: Workload, parameters: Int, features: FeatureCosts?) -> Double {
    let pixels = Double(work.network.imageHeight * work.network.imageWidth)
    let activations =
      4 * Self.activations(of: work.network.architecture) * Double(work.network.width) * pixels
      * Double(work.batchSize)
    var bytes = 300e6 + Double(work.dataBytes) + 16 * Double(parameters) + activations
    if let units = work.units {
      let cells = pixels / 16 * Double(units) * Double(work.batchSize)
      bytes += 4 * (work.trainsEstimators ? 8 : 3) * cells + 32 * Double(features?.parameters ?? 0)
    }
    return bytes
  }

  /// Values kept for the gradient per pixel and channel of the first stage.
  private static func activations(of architecture: String) -> Double {
    if architecture.hasPrefix("wideresnet") { return 57 }
    if architecture.hasPrefix("vgg") { return 14 }
    return architecture.hasPrefix("small") ? 6 : 28
  }
}

extension FeatureKey {
  init(_ work: Workload, units: Int) {
    self.init(
      units: units, channels: work.network.channels, height: work.network.imageHeight,
      width: work.network.imageWidth)
  }
}
