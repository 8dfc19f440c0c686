import Datasets
import Foundation
import Models

/// The images of a run: what it trains on and what it chooses checkpoints with.
public struct TrainingData {
  /// What it trains on.
  public let training: ImageSet
  /// What it chooses checkpoints with; nil for none.
  public let validation: ImageSet?

  /// Reads the training split and divides it; the same seed gives the same parts.
  public init(_ settings: DataSettings, directory: URL, seed: Int) throws {
    let all = try Datasets.load(settings.name, split: .train, directory: directory)
    let seed = UInt64(bitPattern: Int64(seed))
    var training = all
    var validation: ImageSet?
    if settings.validation > 0 {
      let parts = try all.splitting(validation: settings.validation, seed: seed)
      (training, validation) = (parts.train, parts.validation)
    }
    if let limit = settings.limit, limit < training.count {
      training = try training.sample(limit, seed: seed)
    }
    self.training = training
    self.validation = validation
  }

  /// A network for these images.
  public func specification(_ model: ModelSettings) -> NetworkSpecification {
    NetworkSpecification(
      architecture: model.architecture, width: model.width,
      firstConvolutionPadding: model.firstConvolutionPadding,
      classCount: training.classNames.count, channels: training.channels,
      imageHeight: training.height, imageWidth: training.width)
  }
}
