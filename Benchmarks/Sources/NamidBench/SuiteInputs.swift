import Foundation
import Namid

/// Writes what all programs of a suite read: the same weights, images and starting noise for all.
struct SuiteInputs {
  /// The folder that gets the files.
  let folder: URL
  /// The run whose network is evaluated, with its images; nil for random weights.
  var run: String?
  /// The folder that holds data sets.
  let dataDirectory: URL

  /// Writes all that some comparisons need.
  func write(for cases: [SuiteCase]) throws {
    for input in cases.map(\.inputs).reduce(into: Set(), { $0.formUnion($1) }) {
      switch input {
      case .network(let width, let images): try writeNetwork(width: width, images: images)
      case .estimators(let units): try writeEstimators(units: units)
      case .evaluation(let images): try writeEvaluation(images: images)
      }
    }
  }

  private func writeNetwork(width: Int, images count: Int) throws {
    let streams = WorkInputs.streams(count)
    let images = Tensor.uniform(streams, shape: [3, 32, 32])
    let network = try settledNetwork(width: width, on: images)
    try write(network, to: SuitePlan.File.network(width: width))
    // Labels that the network predicts: a sample counts in NAMID's terms when the attack flips it.
    try write(
      images, labels: network.evaluating { network.predictions(images) }, streams,
      to: SuitePlan.File.batch(width: width))
  }

  /// A network with random weights whose statistics fit the images.
  ///
  /// With those of a new one, signals would grow or die from layer to layer.
  private func settledNetwork(width: Int, on images: Tensor) throws -> Network {
    let network = try Network(
      NetworkSpecification(architecture: "resnet18", width: width), stream: RandomStream(seed: 0))
    network.isTraining = true
    withoutGrad { _ = network.logits(images, statisticsMomentum: 1) }
    network.isTraining = false
    return network
  }

  private func writeEstimators(units: Int) throws {
    let folder = folder.appending(path: SuitePlan.File.estimators)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let pair = EstimatorPair(EstimatorSpecification(units: units), stream: RandomStream(seed: 0))
    for (name, estimator) in [("natural", pair.natural), ("adversarial", pair.adversarial)] {
      try Weights.write(
        estimator.store.state,
        metadata: ["units": "\(units)", "channels": "3", "classes": "10"],
        to: folder.appending(path: "\(name).safetensors"))
    }
  }

  private func writeEvaluation(images count: Int) throws {
    let network: Network
    let images: Tensor
    let labels: Tensor
    if let run {
      let saved = try SavedNetwork(run: URL(filePath: run))
      guard saved.network.specification.architecture == "resnet18" else {
        throw SuiteError.notAResNet(run, architecture: saved.network.specification.architecture)
      }
      let all = try Datasets.load(
        saved.configuration.data.name, split: .test, directory: dataDirectory)
      let set = count < all.count ? try all.sample(count, seed: 0) : all
      try saved.check(set)
      let batch = ImageTensors(set).batch(Array(0..<set.count))
      (network, images, labels) = (saved.network, batch.images.contiguous(), batch.labels)
    } else {
      let noise = Tensor.uniform(WorkInputs.streams(count), shape: [3, 32, 32])
      images = (noise * 255).round() / 255.0
      network = try settledNetwork(width: 16, on: images.slice(0..<min(count, 128)))
      labels = network.predictions(images)
    }
    try write(network, to: SuitePlan.File.evaluatedNetwork)
    try write(
      images, labels: labels, WorkInputs.streams(images.size(0)),
      to: SuitePlan.File.evaluatedImages)
  }

  private func write(_ network: Network, to name: String) throws {
    let kind = network.specification
    try Weights.write(
      network.store.state,
      metadata: [
        "width": "\(kind.width)", "padding": "\(kind.firstConvolutionPadding)",
        "channels": "\(kind.channels)", "classes": "\(kind.classCount)",
      ], to: folder.appending(path: name))
  }

  /// The noise is what PGD draws from the same streams for its first start.
  private func write(
    _ images: Tensor, labels: Tensor, _ streams: [RandomStream], to name: String
  ) throws {
    let shape = Array(images.shape.dropFirst())
    let noise = Tensor.normal(streams.map { $0.keyed("start").keyed(0) }, shape: shape) * 0.001
    try Weights.write(
      [("images", images), ("labels", labels), ("noise", noise)],
      to: folder.appending(path: name))
  }
}
