import Foundation
import NamidAttacks
import NamidData
import NamidNetworks
import NamidTorch

/// Measures a network on a data set, always in float32 and evaluation mode.
///
/// With a source network, images are made on that network and judged on this one: a transfer attack.
public struct Evaluator {
  /// The progress of a pass over the data set.
  public struct Progress: Sendable {
    /// Samples done in this pass, without those that an earlier process has done.
    public var done: Int
    /// Samples to be done in this pass.
    public var total: Int
    /// Samples that the network still classifies correctly, those not done yet included.
    public var robust: Int
    /// Samples of the data set.
    public var count: Int
  }

  /// The outcome of an attack on every sample of the data set.
  public struct Outcome {
    /// The summary.
    public var report: AttackReport
    /// True where the network is right, per sample.
    public var isRobust: [Bool]
    /// The cost per sample: the unattacked image, the attack, and the check of its claim.
    public var costs: [Cost]
    /// The size of the smallest perturbation found, per sample; nil for attacks that do not look for it.
    public var distances: [Float]?
    /// The attacked images (N, C, H, W), float32; nil unless asked for.
    public var images: Tensor?
  }

  /// The network that is judged.
  public let classifier: any Classifier
  /// The network that images are made on; nil where that is the one that is judged.
  public let source: (any Classifier)?
  /// The images.
  public let data: ImageTensors
  /// Images handed to the network at once; results do not depend on it.
  public var batchSize: Int
  /// Seed of all random numbers.
  public var seed: Int

  /// A measurement to be made.
  ///
  /// - Parameters:
  ///   - classifier: The network that is judged.
  ///   - data: The images.
  ///   - batchSize: Images handed to the network at once; what suits the device when nil.
  ///   - seed: Seed of all random numbers.
  ///   - source: Another network that images are made on, the strongest that an attack finds there.
  public init(
    _ classifier: any Classifier, on data: ImageTensors, batchSize: Int? = nil, seed: Int,
    craftedOn source: (any Classifier)? = nil
  ) {
    let batchSize = batchSize ?? Self.batchSize(on: data.device)
    precondition(batchSize > 0, "batches of \(batchSize) images")
    self.classifier = classifier
    self.source = source
    self.data = data
    self.batchSize = batchSize
    self.seed = seed
  }

  /// Chooses a batch size for a device: enough images to keep it busy, and no more than most cards have memory for.
  public static func batchSize(on device: Device) -> Int {
    switch device.kind {
    case .cpu: 128
    case .cuda: 1024
    }
  }

  /// Attacks all samples that the network gets right, and checks every claim.
  ///
  /// - Parameters:
  ///   - attack: The attack; `NoAttack` for clean accuracy.
  ///   - keepsImages: True to keep the attacked images.
  ///   - progress: Called after each batch.
  /// - Returns: The summary and the verdict of every sample.
  public func run(
    _ attack: any Attack, keepsImages: Bool = false, progress: (Progress) -> Void = { _ in }
  ) -> Outcome {
    EvaluationSession(self, keepsImages: keepsImages)
      .outcome(of: attack, save: { _, _ in }, report: { progress($1) })
  }
}
