import Foundation
import NamidAttacks
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTorch
import NamidTraining

/// A short measurement of what passes cost on this machine, on random images.
package struct Calibration {
  private let device: Device
  private let architectures: [Architecture]
  private let clock = ContinuousClock()
  /// Images per pass: enough for a stable figure, fewer for large networks.
  private static func batchSize(_ network: NetworkSpecification) -> Int {
    network.width * network.imageHeight * network.imageWidth > 32 * 1024 ? 16 : 64
  }

  /// A calibration of a device.
  package init(device: Device = .cpu, architectures: [Architecture]) {
    self.device = device
    self.architectures = architectures
  }

  /// Measures all networks and estimators of some work, each once.
  ///
  /// - Parameters:
  ///   - work: The steps' workloads.
  ///   - say: Called with a line on each measurement.
  /// - Returns: Their costs.
  /// - Throws: An error when a network cannot be built.
  package func measure(_ work: [Workload], say: (String) -> Void = { _ in }) throws -> CostTable {
    var table = CostTable()
    for each in work {
      for precision in each.items.map(\.precision) {
        let key = NetworkKey(network: each.network, precision: precision)
        if table.networks[key] != nil { continue }
        say("measuring \(key.network.architecture) of width \(key.network.width), \(precision)")
        table.networks[key] = try costs(of: key)
      }
      if let units = each.units {
        let key = FeatureKey(each, units: units)
        if table.features[key] == nil { table.features[key] = costs(of: key) }
      }
    }
    return table
  }

  // MARK: Passes

  private func images(_ shape: [Int], count: Int) -> Tensor {
    let root = RandomStream(seed: 0)
    return Tensor.uniform((0..<count).map { root.keyed($0) }, shape: shape).to(device)
      .contiguous(.channelsLast)
  }

  private func costs(of key: NetworkKey) throws -> NetworkCosts {
    let own = key.network
    let count = Self.batchSize(own)
    let network = try Network(
      own, stream: RandomStream(seed: 0), device: device, architectures: architectures)
    let images = images([own.channels, own.imageHeight, own.imageWidth], count: count)
    let labels = Tensor((0..<count).map { $0 % own.classCount }, shape: [count]).to(device)
    let streams = RandomStreams((0..<count).map { RandomStream(seed: 1).keyed($0) })
    let low = { (body: () -> Void) in withPrecision(key.precision, on: device, body) }
    let repeats = count < 64 ? 1 : 2
    let forward = seconds(repeats) {
      low { network.evaluating { _ = network.predictions(images) } }
    }
    let attack = { (steps: Int) in
      PGD(in: ThreatModel(epsilon: Fraction(8, over: 255))) { $0.steps = steps }
    }
    // The difference of two attacks leaves out what is done once.
    let times = [1, 3].map { steps in
      seconds(repeats) {
        low {
          network.frozen {
            _ = attack(steps).craft(
              on: network, images: images, labels: labels, streams: streams)
          }
        }
      }
    }
    let optimizer = SGD(network.store, momentum: 0.9, weightDecay: 0)
    network.isTraining = true
    let update = seconds(repeats) {
      network.store.zeroGrad()
      low { network.logits(images).crossEntropy(labels).backward() }
      optimizer.step(learningRate: 1e-3)
    }
    return NetworkCosts(
      forward: forward / Double(count),
      gradient: max((times[1] - times[0]) / 2, forward) / Double(count),
      update: update / Double(count), parameters: network.store.parameterCount)
  }

  private func costs(of key: FeatureKey) -> FeatureCosts {
    let count = 16
    let estimator = Estimator(
      EstimatorSpecification(units: key.units, channels: key.channels),
      stream: RandomStream(seed: 0), device: device)
    estimator.freeze()
    let images = images([key.channels, key.height, key.width], count: count)
    let time = seconds(2) { withoutGrad { _ = estimator.features(of: images) } }
    return FeatureCosts(
      seconds: time / Double(count), parameters: estimator.store.parameterCount)
  }

  /// The fastest of some runs after one that picks kernels and fills caches.
  private func seconds(_ repeats: Int, _ body: () -> Void) -> Double {
    body()
    let times = (0..<repeats).map { _ in
      clock.measure {
        body()
        TorchEnvironment.synchronize(device)
      }
    }
    let shortest = times.min() ?? .zero
    return Double(shortest.components.seconds) + 1e-18 * Double(shortest.components.attoseconds)
  }
}
