import Attacks
import Datasets
import Foundation
import NeuralNetworks
import Torch

/// Measures a network on a data set, always in float32 and evaluation mode.
public struct Evaluator {
  /// How far a measurement is.
  public struct Progress: Sendable {
    /// Samples done.
    public var done: Int
    /// Samples in all.
    public var total: Int
    /// Samples among the done ones that the network still classifies correctly.
    public var robust: Int
  }

  /// What an attack did to every sample of the data set.
  public struct Outcome {
    /// The summary.
    public var report: AttackReport
    /// Whether the network is right, per sample.
    public var isRobust: [Bool]
    /// What it cost, per sample.
    public var costs: [Cost]
    /// The attacked images (N, C, H, W), float32; nil unless asked for.
    public var images: Tensor?
  }

  /// The network.
  public let classifier: any Classifier
  /// The images.
  public let data: ImageTensors
  /// Images handed to the network at once; results do not depend on it.
  public var batchSize: Int
  /// Seed of all random numbers.
  public var seed: Int

  /// A measurement to be made.
  public init(_ classifier: any Classifier, on data: ImageTensors, batchSize: Int = 128, seed: Int)
  {
    self.classifier = classifier
    self.data = data
    self.batchSize = batchSize
    self.seed = seed
  }

  /// Attacks all samples.
  ///
  /// - Parameters:
  ///   - attack: The attack; `NoAttack` for clean accuracy.
  ///   - keepsImages: Whether the attacked images are kept.
  ///   - progress: Told after each batch.
  /// - Returns: The summary and the verdict of every sample.
  public func run(
    _ attack: any Attack, keepsImages: Bool = false, progress: (Progress) -> Void = { _ in }
  ) -> Outcome {
    let root = RandomStream(seed: seed).keyed("evaluate").keyed(attack.name)
    let begin = Date()
    var isRobust: [Bool] = []
    var costs: [Cost] = []
    var images: [Tensor] = []
    for indices in data.batches(of: batchSize) {
      let batch = data.batch(indices)
      let result = withPrecision(.float32, on: data.device) {
        attack.run(
          on: classifier, images: batch.images, labels: batch.labels,
          streams: indices.map { root.keyed(data.sampleIndices[$0]) })
      }
      isRobust += result.fooled.map { !$0 }
      costs += result.costs
      if keepsImages { images.append(result.images.to(.cpu)) }
      progress(
        Progress(
          done: isRobust.count, total: data.count, robust: isRobust.count(where: { $0 })))
    }
    let report = AttackReport(
      name: attack.name, robust: isRobust.count(where: { $0 }), total: data.count,
      cost: costs.reduce(Cost(), +), seconds: Date().timeIntervalSince(begin),
      settings: attack.settings)
    return Outcome(
      report: report, isRobust: isRobust, costs: costs,
      images: keepsImages ? Tensor.cat(images) : nil)
  }
}
