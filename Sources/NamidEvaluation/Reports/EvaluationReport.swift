import NamidAttacks
import NamidFiles
import NamidSettings

/// The figures measured of a network, with everything needed to measure them again.
public struct EvaluationReport: Codable, Sendable {
  /// The images it was measured on.
  public struct Data: Codable, Sendable {
    /// The data set's title, such as `CIFAR-10 (JPEG copy)`.
    public var name: String
    /// `train`, `validation` or `test`.
    public var split: String
    /// The number of images used.
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
    /// The checkpoint that was measured.
    public var checkpoint: String
    /// A digest of its weights.
    public var fingerprint: String
  }

  /// A ball in the keys of reports: `norm`, `epsilon` as a number and `epsilon_text` as it was written.
  @propertyWrapper public struct Threat: Codable, Hashable, Sendable {
    /// The ball.
    public var wrappedValue: ThreatModel

    enum CodingKeys: String, CodingKey {
      case norm, epsilon
      case epsilonText = "epsilon_text"
    }

    /// A ball for reports.
    public init(wrappedValue: ThreatModel) {
      self.wrappedValue = wrappedValue
    }

    /// Reads a ball whose number and text agree.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      let norm = try container.decode(String.self, forKey: .norm)
      let text = try container.decode(String.self, forKey: .epsilonText)
      guard let known = Norm(rawValue: norm), let epsilon = Fraction(text), epsilon.value >= 0,
        try container.decode(Double.self, forKey: .epsilon) == epsilon.value
      else {
        throw DecodingError.dataCorruptedError(
          forKey: .epsilonText, in: container,
          debugDescription: "there is no ball \(norm) of this radius")
      }
      wrappedValue = ThreatModel(norm: known, epsilon: epsilon)
    }

    /// Writes all three keys.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(wrappedValue.norm, forKey: .norm)
      try container.encode(wrappedValue.epsilon.value, forKey: .epsilon)
      try container.encode(wrappedValue.epsilon.description, forKey: .epsilonText)
    }
  }

  /// The images.
  public var dataset: Data
  /// The network.
  public var model: Model
  /// The network that images were made on, where that is another one: a transfer attack.
  public var source: Model?
  /// The attacker's ball.
  @Threat public var threat: ThreatModel
  /// The share of unattacked images classified correctly.
  public var cleanAccuracy: Double
  /// The results of the attacks in order.
  public var attacks: [AttackReport]
  /// The share of images that no attack fooled; nil with fewer than two attacks.
  public var worstCase: WorstCase?
  /// All passes through networks, each counted once however many attacks it served.
  public var cost: Cost?
  /// Flags that make the figures doubtful.
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
    self.threat = threat
    self.cleanAccuracy = cleanAccuracy
    self.attacks = attacks
    self.seed = seed
    specificationHash = ""
    specificationHash = try hashOfSpecification()
  }

  /// The digest of everything that decides the figures, computed anew from what the report says.
  public func hashOfSpecification() throws -> String {
    try NamidSettings.specificationHash(
      Specification(
        data: dataset.fingerprint, model: model.fingerprint, source: source?.fingerprint,
        norm: threat.norm, epsilon: threat.epsilon,
        attacks: attacks.map { report in
          Specification.Item(
            name: report.name, settings: report.settings,
            members: report.members?.map { .init(name: $0.name, settings: $0.settings) })
        }, seed: seed))
  }
}

/// Everything that decides the figures, and nothing else.
private struct Specification: Encodable {
  struct Item: Encodable {
    var name: String
    var settings: JSONValue
    var members: [Item]?

    /// Writes `{name: settings}`, with the members beside it where there are any.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: AnyKey.self)
      try container.encode(settings, forKey: AnyKey(stringValue: name))
      if let members { try container.encode(members, forKey: AnyKey(stringValue: "members")) }
    }
  }

  var data: String
  var model: String
  var source: String?
  var norm: Norm
  var epsilon: Fraction
  var attacks: [Item]
  var seed: Int
}
