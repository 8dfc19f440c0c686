import NamidAttacks
import NamidDefenses
import NamidSettings
import NamidTorch

/// Everything that decides what a training run does; the defaults are the paper's.
///
/// In a file every defense's settings are a group of their own (`trades`, `namid`, …); those that the chosen defense
/// does not read are checked and dropped.
public struct RunConfiguration: ConfigurationGroup, Equatable, Sendable {
  /// Seed of all random numbers: weights, order, augmentation, attack starts, the validation split.
  public var seed = 0
  /// The images to train on.
  public var data = DataSettings()
  /// The network to train.
  public var model = ModelSettings()
  /// The run folder of a network of the same kind to start from; a fresh network when null.
  public var initial: String?
  /// The attacker's ball, in training and validation.
  public var threat = ThreatModel(norm: .linf, epsilon: Fraction(8, over: 255))
  /// The attack that crafts the images to train on.
  public var attack = TrainingAttackSettings()
  /// The defense to train with.
  public var defense = DefenseName.standard
  /// The choices of defenses, by the types of their groups.
  public var settings = SettingsGroups()
  /// The folder of trained estimators; needed by defenses that read them.
  public var estimators: String?
  /// Adversarial weight perturbation, with any defense; none when null.
  public var weightPerturbation: WeightPerturbation.Settings?
  /// The optimizer.
  public var optimizer = OptimizerSettings()
  /// The learning rate over time.
  public var schedule = ScheduleSettings()
  /// The length of training, its portions, and the checkpoints that are kept.
  public var training = TrainingSettings()

  /// The paper's settings for CIFAR-10.
  public init() {}

  /// Choices of NAMID, NAMID_T and NAMID_M.
  public var namid: NAMID.Settings {
    get { settings[NAMID.Settings.self] }
    set { settings[NAMID.Settings.self] = newValue }
  }

  /// The paper's settings, with every added term held to half of the gradient of the loss that it is added to: the
  /// paper's weight of the MI term alone lets networks collapse (Docs/Method-choices.md, Balance).
  public static var balanced: RunConfiguration {
    var configuration = RunConfiguration()
    configuration.namid.balance = .cap
    configuration.settings[WMIM.Settings.self].balance = .cap
    return configuration
  }

  /// The settings of the authors' released code: method, attack and length of training.
  ///
  /// Its NAMID attacks with 40 steps and starts with two epochs of ordinary training before the hundred. For what it
  /// has no script for (NAMID_T, NAMID_M) the same is taken.
  public static func reference(for defense: DefenseName) -> RunConfiguration {
    var configuration = RunConfiguration()
    configuration.defense = defense
    if [.namid, .namidT, .namidM].contains(defense) {
      configuration.attack.steps = 40
      configuration.training.epochs = 102
      configuration.schedule.milestones = [76, 91]
    }
    configuration.model.firstConvolutionPadding = 0
    configuration.namid = .reference
    configuration.settings[TRADES.Settings.self].statistics = .reference
    configuration.attack.stepSize = 0.007
    configuration.training.batchSize = 256
    return configuration
  }

  /// Refuses combinations that cannot work.
  public func validate() throws {
    try require(threat.epsilon.value >= 0, "threat.epsilon", "must not be negative")
    try require(threat.norm != .l1, "threat.norm", "must be linf or l2: PGD has no L1 form")
    try require(
      training.patience == nil || data.validation > 0, "training.patience",
      "needs images to validate on (data.validation)")
  }

  /// Makes a copy with the groups that its defense reads and no others, all complete.
  ///
  /// - Throws: An error when the defense is unknown, or estimators are missing or not wanted.
  func settled(_ catalog: Catalog) throws -> RunConfiguration {
    try settled(as: catalog.defense(defense))
  }

  private func settled(as entry: DefenseEntry) throws -> RunConfiguration {
    var result = self
    result.settings = settings.only(entry.settings)
    if case .required(let kind) = entry.estimators(result.settings) {
      try require(
        estimators != nil, "estimators",
        "must name a folder of trained estimators of \(kind.rawValue) MI with defense \(entry.name)"
      )
    }
    return result
  }
}

extension RunConfiguration {
  private enum Key: String, CaseIterable, CodingKey {
    case seed, data, model, initial, threat, attack, defense, estimators, weightPerturbation,
      optimizer,
      schedule, training
  }

  /// Reads all keys; the decoder's `userInfo` may hold the parts that there are.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    seed = try container.decode(Int.self, forKey: .seed)
    data = try container.decode(DataSettings.self, forKey: .data)
    model = try container.decode(ModelSettings.self, forKey: .model)
    initial = try container.decodeIfPresent(String.self, forKey: .initial)
    threat = try container.decode(ThreatModel.self, forKey: .threat)
    attack = try container.decode(TrainingAttackSettings.self, forKey: .attack)
    defense = try container.decode(DefenseName.self, forKey: .defense)
    let catalog = decoder.userInfo[.catalog] as? Catalog ?? .standard
    let entry = try catalog.defense(defense)
    let groups = try decoder.container(keyedBy: AnyKey.self)
    for type in catalog.defenses.flatMap(\.settings) {
      let key = AnyKey(stringValue: type.key)
      if groups.contains(key) { settings.set(try groups.decode(type, forKey: key)) }
    }
    estimators = try container.decodeIfPresent(String.self, forKey: .estimators)
    weightPerturbation = try container.decodeIfPresent(
      WeightPerturbation.Settings.self, forKey: .weightPerturbation)
    optimizer = try container.decode(OptimizerSettings.self, forKey: .optimizer)
    schedule = try container.decode(ScheduleSettings.self, forKey: .schedule)
    training = try container.decode(TrainingSettings.self, forKey: .training)
    self = try settled(as: entry)
  }

  /// Writes all keys, the groups of settings after the defense.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    var groups = encoder.container(keyedBy: AnyKey.self)
    try container.encode(seed, forKey: .seed)
    try container.encode(data, forKey: .data)
    try container.encode(model, forKey: .model)
    try container.encodeIfPresent(initial, forKey: .initial)
    try container.encode(threat, forKey: .threat)
    try container.encode(attack, forKey: .attack)
    try container.encode(defense, forKey: .defense)
    for (key, group) in settings.all {
      try groups.encode(group, forKey: AnyKey(stringValue: key))
    }
    try container.encodeIfPresent(estimators, forKey: .estimators)
    try container.encodeIfPresent(weightPerturbation, forKey: .weightPerturbation)
    try container.encode(optimizer, forKey: .optimizer)
    try container.encode(schedule, forKey: .schedule)
    try container.encode(training, forKey: .training)
  }
}

/// The name of a way to train; which ones there are, a `Catalog` knows.
public struct DefenseName: RawRepresentable, Codable, Hashable, Sendable,
  ExpressibleByStringLiteral
{
  /// The name.
  public let rawValue: String

  /// Any name.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// Any name.
  public init(stringLiteral value: String) { self.init(rawValue: value) }

  /// Ordinary training.
  public static let natural: DefenseName = "natural"
  /// Adversarial training.
  public static let standard: DefenseName = "standard"
  /// TRADES.
  public static let trades: DefenseName = "trades"
  /// MART.
  public static let mart: DefenseName = "mart"
  /// Adversarial training that raises standard MI.
  public static let wmim: DefenseName = "wmim"
  /// Adversarial training with the mutual-information loss.
  public static let namid: DefenseName = "namid"
  /// NAMID with the loss of TRADES.
  public static let namidT: DefenseName = "namid-t"
  /// NAMID with the loss of MART.
  public static let namidM: DefenseName = "namid-m"
}
