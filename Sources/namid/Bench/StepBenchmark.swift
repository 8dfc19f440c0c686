import Attacks
import Datasets
import Defenses
import Foundation
import Models
import NeuralNetworks
import Records
import Torch

/// One PGD-10 training step of ResNet-18, ready to be timed.
struct StepBenchmark {
  let width: Int
  let precision: Precision
  private let network: Network
  private let optimizer: SGD
  private let batch: Batch
  private let defense: StandardAT
  private let streams: [RandomStream]
  private let device: Device

  init(width: Int, precision: Precision, batchSize: Int, device: Device) throws {
    self.width = width
    self.precision = precision
    self.device = device
    let root = RandomStream(seed: 0)
    network = try Network(
      NetworkSpecification(architecture: "resnet18", width: width), stream: root, device: device)
    network.isTraining = true
    optimizer = SGD(network.store, momentum: 0.9, weightDecay: 2e-4)
    streams = (0..<batchSize).map { root.keyed($0) }
    let images = Tensor.uniform(streams, shape: [3, 32, 32]).to(device)
    batch = Batch(
      images: images.contiguous(.channelsLast),
      labels: Tensor((0..<batchSize).map { $0 % 10 }, shape: [batchSize]).to(device),
      indices: Array(0..<batchSize))
    let threat = ThreatModel(epsilon: Fraction(8, over: 255))
    defense = StandardAT(attack: TrainingAttack(PGD(threat: threat, steps: 10)))
  }

  func step() {
    network.store.zeroGrad()
    let loss = withPrecision(precision, on: device) {
      defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
    }
    loss.total.backward()
    optimizer.step(learningRate: 0.01)
    TorchEnvironment.synchronize(device)
  }

  /// Seconds of one step.
  func measure() -> Double {
    let begin = Date()
    step()
    return Date().timeIntervalSince(begin)
  }
}
