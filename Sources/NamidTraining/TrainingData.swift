import Foundation
import NamidData
import NamidNetworks
import NamidSettings

/// The images of a run: what it trains on and what it chooses checkpoints with.
public struct TrainingData {
  /// The images that it trains on.
  public let training: ImageSet
  /// The images that choose checkpoints; nil for none.
  public let validation: ImageSet?

  /// Reads the training split and divides it; the same seed gives the same parts.
  public init(
    _ settings: DataSettings, directory: URL, seed: Int, catalog: Catalog,
    say: (String) -> Void = { _ in }
  ) throws {
    let all = try catalog.dataset(settings.name).load(.train, in: directory, say: say)
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

  /// A digest of all images and labels; it reads every pixel.
  public func fingerprint() throws -> String {
    try specificationHash([training.fingerprint, validation?.fingerprint ?? ""])
  }

  /// A network for these images.
  public func specification(
    _ model: ModelSettings, catalog: Catalog
  ) -> NetworkSpecification {
    return NetworkSpecification(
      architecture: model.architecture,
      width: model.width,
      firstConvolutionPadding: model.firstConvolutionPadding,
      classCount: training.classNames.count, channels: training.channels,
      imageHeight: training.height, imageWidth: training.width, among: catalog.architectures)
  }
}
