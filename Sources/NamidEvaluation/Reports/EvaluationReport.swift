import NamidAttacks
import NamidFiles
import NamidSettings

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

  /// A network that was measured, or that images were made on.
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
    /// `linf`, `l2` or `l1`.
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
  /// The network that images were made on, where that is another one: a transfer attack.
  public var source: Model?
  /// The attacker's ball.
  public var threat: Threat
  /// The share of unattacked images classified correctly.
  public var cleanAccuracy: Double
  /// What each attack left standing.
  public var attacks: [AttackReport]
  /// What all attacks together left standing; nil with fewer than two.
  public var worstCase: WorstCase?
  /// All passes through networks, each counted once however many attacks it served.
  public var cost: Cost?
  /// What makes the figures doubtful.
  public var flags: [Diagnosis]?
  /// The samples that records are about.
  public var samples: SampleNames?
  /// Seed of all random numbers.
  public var seed: Int
  /// A digest of the data, the networks, the ball, all attack settings and the seed.
  public var specificationHash: String

  enum CodingKeys: String, CodingKey {
    case dataset, model, source, threat, attacks, cost, flags, seed, samples
    case cleanAccuracy = "clean_accuracy"
    case worstCase = "worst_case"
    case specificationHash = "spec_hash"
  }

  /// A report; its digest is computed here.
  public init(
    dataset: Data, model: Model, source: Model? = nil, threat: ThreatModel, cleanAccuracy: Double,
    attacks: [AttackReport], seed: Int
  ) throws {
    self.dataset = dataset
    self.model = model
    self.source = source
    self.threat = Threat(
      norm: threat.norm.rawValue, epsilon: threat.epsilon.value,
      epsilonText: threat.epsilon.description)
    self.cleanAccuracy = cleanAccuracy
    self.attacks = attacks
    self.seed = seed
    let specification = Specification(
      data: dataset.fingerprint, model: model.fingerprint, source: source?.fingerprint,
      threat: threat,
      attacks: attacks.map { report in
        Specification.Item(
          name: report.name, settings: report.settings,
          members: report.members?.map { .init(name: $0.name, settings: $0.settings) })
      },
      seed: seed)
    specificationHash = try specification.hash()
  }
}

/// Everything that decides the figures, and nothing else.
struct Specification: Encodable {
  struct Item: Encodable {
    var name: String
    var settings: JSONValue
    var members: [Item]?

    /// As `{name: settings}`, with the members beside it where there are any.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: AnyKey.self)
      try container.encode(settings, forKey: AnyKey(stringValue: name))
      if let members { try container.encode(members, forKey: AnyKey(stringValue: "members")) }
    }
  }

  private let data: String
  private let model: String
  private let source: String?
  private let norm: String
  private let epsilon: Fraction
  private let attacks: [Item]
  private let seed: Int

  init(
    data: String, model: String, source: String?, threat: ThreatModel, attacks: [Item], seed: Int
  ) {
    self.data = data
    self.model = model
    self.source = source
    norm = threat.norm.rawValue
    epsilon = threat.epsilon
    self.attacks = attacks
    self.seed = seed
  }

  func hash() throws -> String { try NamidSettings.specificationHash(self) }
}
