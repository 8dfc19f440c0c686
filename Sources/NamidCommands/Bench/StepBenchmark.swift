import Foundation
import NamidAttacks
import NamidDefenses
import NamidNetworks
import NamidSettings
import NamidTorch
import NamidTraining

/// One adversarial training step of ResNet-18, ready to be timed.
struct StepBenchmark {
  /// What decides the cost, apart from the network's width.
  struct Shape {
    var batchSize = 64
    var imageSize = 32
    var classes = 10
    /// Gradient steps of PGD.
    var steps = 10
  }

  let width: Int
  let precision: Precision
  private let network: Network
  private let optimizer: SGD
  private let batch: Batch
  private let defense: StandardAT
  private let streams: RandomStreams
  private let device: Device
  private let recordings: BatchRecordings<Tensor>?

  init(width: Int, precision: Precision, shape: Shape, device: Device, isRecorded: Bool = false)
    throws
  {
    guard !isRecorded || device != .cpu && Graph.isAvailable else {
      throw TrainingError.noGraphs(device)
    }
    recordings = isRecorded ? BatchRecordings(on: device) : nil
    self.width = width
    self.precision = precision
    self.device = device
    let root = RandomStream(seed: 0)
    network = try Network(
      NetworkSpecification(
        architecture: "resnet18", width: width, classCount: shape.classes,
        imageHeight: shape.imageSize, imageWidth: shape.imageSize), stream: root, device: device)
    network.isTraining = true
    optimizer = SGD(network.store, momentum: 0.9, weightDecay: 2e-4)
    let count = shape.batchSize
    streams = RandomStreams((0..<count).map { root.keyed($0) })
    let images = Tensor.uniform(
      streams.each, shape: [3, shape.imageSize, shape.imageSize]
    ).to(device)
    batch = Batch(
      images: images.contiguous(.channelsLast),
      labels: Tensor((0..<count).map { $0 % shape.classes }, shape: [count]).to(device),
      indices: Array(0..<count))
    let threat = ThreatModel(epsilon: Fraction(8, over: 255))
    defense = StandardAT(attack: TrainingAttack(PGD(in: threat) { $0.steps = shape.steps }))
  }

  func step() throws {
    if let recordings {
      _ = try recordings.run(batch, streams: streams, stage: 0, work)
    } else {
      _ = work(batch, streams)
    }
    TorchEnvironment.synchronize(device)
  }

  private func work(_ batch: Batch, _ streams: RandomStreams) -> Tensor? {
    network.store.zeroGrad()
    let loss = withPrecision(precision, on: device) {
      defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
    }
    loss.total.backward()
    optimizer.step(learningRate: 0.01)
    return loss.total.detach()
  }

  /// Seconds of one step.
  func measure() throws -> Double {
    let begin = Date()
    try step()
    return Date().timeIntervalSince(begin)
  }
}
