import Foundation
import NamidData
import NamidNetworks
import NamidTorch

/// The images and the network of a self-test: small, and the same everywhere.
struct SelfTestSubject {
  static let classCount = 4
  static let size = 16
  static let specification = NetworkSpecification(
    architecture: "resnet18", width: 8, classCount: classCount, imageHeight: size, imageWidth: size)

  /// Weights of a network that has learned the images a little, by name, on the CPU.
  let weights: [String: Tensor]

  /// Noise with a bar whose place tells the class: a network has it after a few steps, and small changes hide it.
  static func images(_ count: Int) -> ImageSet {
    let root = RandomStream(seed: 17)
    let pixels = (0..<count).flatMap { index -> [UInt8] in
      var stream = root.keyed(index)
      let bar = size / classCount
      return (0..<size * size).flatMap { place -> [UInt8] in
        let isBright = (place % size) / bar == index % classCount
        return (0..<3).map { _ in UInt8((isBright ? 90 : 60) + stream.integer(below: 100)) }
      }
    }
    return ImageSet(
      name: "bars", title: "Bars", split: .train, height: size, width: size, channels: 3,
      classNames: (0..<classCount).map(String.init), pixels: pixels,
      labels: (0..<count).map { $0 % classCount }, layout: "memory")
  }

  /// Trains a network for some steps on the CPU.
  init(steps: Int = 60) throws {
    let network = try Network(Self.specification, stream: RandomStream(seed: 3))
    let batch = ImageTensors(Self.images(64)).batch(Array(0..<64))
    let optimizer = Adam(network.store)
    network.isTraining = true
    for _ in 0..<steps {
      network.store.zeroGrad()
      network.logits(batch.images).crossEntropy(batch.labels).backward()
      optimizer.step(learningRate: 3e-3)
    }
    weights = Dictionary(
      uniqueKeysWithValues: network.store.state.map { ($0.name, $0.tensor.detach().clone()) })
  }

  /// Writes images as a folder with a training split; gives that folder.
  static func write(_ count: Int, to root: URL) throws -> URL {
    let set = images(count)
    for index in 0..<count {
      let folder = root.appending(path: "images/train/\(set.classNames[set.labels[index]])")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let png = try PNG.encode(
        pixels: Array(set.image(at: index)), height: size, width: size, channels: 3)
      try png.write(to: folder.appending(path: "\(index).png"))
    }
    return root.appending(path: "images")
  }

  /// The network on a device, in evaluation mode.
  func network(on device: Device) throws -> Network {
    let network = try Network(Self.specification, stream: RandomStream(seed: 3), device: device)
    try network.store.load(state: weights.mapValues { $0.to(device) })
    network.isTraining = false
    return network
  }

  /// Some images on a device.
  func batch(_ count: Int, on device: Device) -> Batch {
    ImageTensors(Self.images(count), device: device).batch(Array(0..<count))
  }
}
