import Foundation
import Namid

/// Something that the suite measures in a process of its own.
protocol MeasuredWork {
  /// Numbers that tell whether other programs do the same work.
  var facts: [String: Double] { get }
  /// Does the work once.
  func run() throws
}

/// The inputs of the suite, read by this project's side.
struct WorkInputs {
  let device: Device
  let network: Network
  /// Images (N, C, H, W) and labels (N), as many as the file has.
  let images: Tensor
  let labels: Tensor

  /// Reads a network and a batch.
  init(network file: String, batch: String, device: Device) throws {
    self.device = device
    network = try Self.network(URL(filePath: file), device: device)
    let tensors = try Weights.read(URL(filePath: batch), device: device)
    guard let images = tensors["images"], let labels = tensors["labels"] else {
      throw SuiteError.damaged(batch, reason: "it has no images and labels")
    }
    (self.images, self.labels) = (images, labels)
  }

  /// The first images and labels.
  func first(_ count: Int) throws -> (images: Tensor, labels: Tensor) {
    guard images.size(0) >= count else {
      throw SuiteError.damaged("the batch", reason: "it has \(images.size(0)) images, not \(count)")
    }
    return (images.slice(0..<count), labels.slice(0..<count))
  }

  /// One stream per sample; the noise in the file of a batch was drawn from the same ones.
  static func streams(_ count: Int) -> [RandomStream] {
    let root = RandomStream(seed: 0)
    return (0..<count).map { root.keyed($0) }
  }

  private static func network(_ file: URL, device: Device) throws -> Network {
    let number = try numbers(of: file)
    let network = try Network(
      NetworkSpecification(
        architecture: "resnet18", width: try number("width"),
        firstConvolutionPadding: try number("padding"), classCount: try number("classes"),
        channels: try number("channels")),
      stream: RandomStream(seed: 0), device: device)
    try network.store.load(state: try Weights.read(file, device: device))
    return network
  }

  /// The natural and the adversarial estimator of a folder, neither frozen nor in training mode.
  static func estimators(_ folder: String, device: Device) throws -> EstimatorPair {
    let pair = try ["natural", "adversarial"].map { name in
      let file = URL(filePath: folder).appending(path: "\(name).safetensors")
      let number = try numbers(of: file)
      let estimator = Estimator(
        EstimatorSpecification(
          units: try number("units"), classCount: try number("classes"),
          channels: try number("channels")),
        stream: RandomStream(seed: 0), device: device)
      try estimator.load(state: try Weights.read(file, device: device))
      return estimator
    }
    return EstimatorPair(natural: pair[0], adversarial: pair[1])
  }

  private static func numbers(of file: URL) throws -> (String) throws -> Int {
    let metadata = try SafetensorsFile.read(file).metadata
    return { key in
      guard let value = metadata[key].flatMap(Int.init), (0...65_536).contains(value) else {
        throw SuiteError.damaged(file.path, reason: "its metadata has no number \"\(key)\"")
      }
      return value
    }
  }
}
