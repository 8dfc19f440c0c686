import Attacks
import Records

/// What was measured of a network, with everything needed to measure it again.
public struct EvaluationReport: Codable, Sendable {
  /// The images it was measured on.
  public struct Data: Codable, Sendable {
    /// The data set's title, such as `CIFAR-10 (JPEG copy)`.
    public var name: String
    /// `train`, `validation` or `test`.
    public var split: String
    /// How many images were used.
    public var count: Int
    /// A digest of their pixels and labels.
    public var fingerprint: String
  }

  /// The network that was measured.
  public struct Model: Codable, Sendable {
    /// The run's folder or the weights' file.
    public var name: String
    /// Its architecture.
    public var architecture: String
    /// Its trainable values.
    public var parameters: Int
    /// Which checkpoint was measured.
    public var checkpoint: String
    /// A digest of its weights.
    public var fingerprint: String
  }

  /// The ball the attacker was held to.
  public struct Threat: Codable, Sendable {
    /// `linf` or `l2`.
    public var norm: String
    /// The radius as a number.
    public var epsilon: Double
    /// The radius as it was written.
    public var epsilonText: String

    enum CodingKeys: String, CodingKey {
      case norm, epsilon
      case epsilonText = "epsilon_text"
    }
  }

  /// The images.
  public var dataset: Data
  /// The network.
  public var model: Model
  /// The attacker's ball.
  public var threat: Threat
  /// The share of unattacked images classified correctly.
  public var cleanAccuracy: Double
  /// What each attack left standing.
  public var attacks: [AttackReport]
  /// Seed of all random numbers.
  public var seed: Int
  /// A digest of the data, the network, the ball, all attack settings and the seed.
  public var specificationHash: String

  enum CodingKeys: String, CodingKey {
    case dataset, model, threat, attacks, seed
    case cleanAccuracy = "clean_accuracy"
    case specificationHash = "spec_hash"
  }

  /// A report; its digest is computed here.
  public init(
    dataset: Data, model: Model, threat: ThreatModel, cleanAccuracy: Double,
    attacks: [AttackReport], seed: Int
  ) throws {
    self.dataset = dataset
    self.model = model
    self.threat = Threat(
      norm: threat.norm.rawValue, epsilon: threat.epsilon.value,
      epsilonText: threat.epsilon.description)
    self.cleanAccuracy = cleanAccuracy
    self.attacks = attacks
    self.seed = seed
    specificationHash = try Records.specificationHash(
      Specification(
        data: dataset.fingerprint, model: model.fingerprint, norm: threat.norm.rawValue,
        epsilon: threat.epsilon,
        attacks: attacks.map { [$0.name: $0.settings] }, seed: seed))
  }

  private struct Specification: Encodable {
    let data: String
    let model: String
    let norm: String
    let epsilon: Fraction
    let attacks: [[String: [String: String]]]
    let seed: Int
  }
}

/// What one attack left standing, and what it cost.
public struct AttackReport: Codable, Sendable {
  /// Such as `pgd-20`; `clean` for no attack.
  public var name: String
  /// The share of images still classified correctly.
  public var robustAccuracy: Double
  /// How many images that is.
  public var robust: Int
  /// How many images were attacked.
  public var total: Int
  /// Wilson's 95 % interval of the share.
  public var interval: [Double]
  /// Evaluations of the network, over all images.
  public var forwards: Int
  /// Gradients, over all images.
  public var backwards: Int
  /// Wall time.
  public var seconds: Double
  /// The attack's settings by name.
  public var settings: [String: String]

  enum CodingKeys: String, CodingKey {
    case name, robust, total, forwards, backwards, seconds, settings
    case robustAccuracy = "robust_accuracy"
    case interval = "ci95"
  }

  /// A report from counts.
  public init(
    name: String, robust: Int, total: Int, cost: Cost, seconds: Double,
    settings: [String: String]
  ) {
    self.name = name
    self.robust = robust
    self.total = total
    robustAccuracy = total == 0 ? 0 : Double(robust) / Double(total)
    let interval = Statistics.wilson95(robust, of: total)
    self.interval = [interval.low, interval.high]
    forwards = cost.forwards
    backwards = cost.backwards
    self.seconds = seconds
    self.settings = settings
  }
}
