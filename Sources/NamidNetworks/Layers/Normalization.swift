import NamidTorch

/// A change of images that stands in front of a network's first convolution.
public enum InputNormalization: Codable, Hashable, Sendable {
  /// (x − mean)/deviation, with one number per channel.
  case channels(mean: [Double], deviation: [Double])
  /// (x − m)/max(s, 1/√n) with the mean m and the deviation s of all n values of the image, as in TensorFlow's
  /// `per_image_standardization`.
  case image

  private enum CodingKeys: String, CodingKey { case mean, deviation, perImage }

  /// Reads `{"mean": […], "deviation": […]}` or `{"perImage": true}`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    if try values.decodeIfPresent(Bool.self, forKey: .perImage) == true {
      self = .image
    } else {
      self = .channels(
        mean: try values.decode([Double].self, forKey: .mean),
        deviation: try values.decode([Double].self, forKey: .deviation))
    }
  }

  /// Writes the form that is read.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .channels(let mean, let deviation):
      try values.encode(mean, forKey: .mean)
      try values.encode(deviation, forKey: .deviation)
    case .image: try values.encode(true, forKey: .perImage)
    }
  }

  /// The numbers that most work uses for a data set, by its name; nil where there are no usual ones.
  public static func usual(for dataset: String) -> InputNormalization? {
    switch dataset {
    case "cifar10":
      .channels(mean: [0.4914, 0.4822, 0.4465], deviation: [0.2471, 0.2435, 0.2616])
    case "cifar100":
      .channels(mean: [0.5071, 0.4865, 0.4409], deviation: [0.2673, 0.2564, 0.2762])
    case "imagenet", "tiny-imagenet":
      .channels(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])
    default: nil
    }
  }

  /// The reason why images of so many channels cannot be changed so, or nil.
  func problem(channels: Int) -> String? {
    guard case .channels(let mean, let deviation) = self else { return nil }
    guard [mean.count, deviation.count].allSatisfy({ $0 == channels || $0 == 1 }) else {
      return
        "its images have \(channels) channels, its normalisation \(mean.count) means and \(deviation.count) deviations"
    }
    guard mean.allSatisfy(\.isFinite), deviation.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      return
        "its normalisation has means \(mean) and deviations \(deviation); deviations must be above 0"
    }
    return nil
  }
}

/// The layer that normalises images.
struct Normalization: Module {
  private let constants: (mean: Tensor, deviation: Tensor)?

  /// Registers `mean` and `std` of one number per channel, unless images are normalised by their own.
  init(_ kind: InputNormalization, channels: Int, at path: Path) {
    guard case .channels(let mean, let deviation) = kind else {
      constants = nil
      return
    }
    let row = { (values: [Double]) in
      Initializer.values((0..<channels).map { Float(values[values.count == 1 ? 0 : $0]) })
    }
    constants = (
      path.buffer("mean", [channels], row(mean)), path.buffer("std", [channels], row(deviation))
    )
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    if let constants {
      return (input - constants.mean.view([1, -1, 1, 1])) / constants.deviation.view([1, -1, 1, 1])
    }
    let count = Double(input.count / max(1, input.size(0)))
    let centered = input - input.mean([1, 2, 3], keepdim: true)
    let variance = centered.square().sum([1, 2, 3], keepdim: true) / max(1, count - 1)
    return centered / variance.sqrt().clamp(min: 1 / count.squareRoot())
  }
}
