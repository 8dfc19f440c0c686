import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTorch

/// The choices of an attack: a plain value whose property names are the keys of settings and of records.
///
/// Defaults may depend on the threat model. A choice that has no meaning in a threat model is nil there.
public protocol AttackSettings: Codable, Hashable, Sendable {
  /// The key of the choice that other defaults hang on, such as `mode`; nil where there is none.
  static var presetKey: String? { get }
  /// The usual choices in a threat model.
  init(in threat: ThreatModel)
  /// The usual choices for the value that the choice of `presetKey` has here.
  func usual(in threat: ThreatModel) -> Self
  /// Refuses values that cannot work.
  ///
  /// - Throws: `InvalidSetting` with the key and what is required.
  func validate(in threat: ThreatModel) throws(InvalidSetting)
}

extension AttackSettings {
  /// Nil: no choice decides the defaults of others.
  public static var presetKey: String? { nil }

  /// These choices.
  public func usual(in threat: ThreatModel) -> Self { self }

  /// Refuses a setting unless a condition holds.
  ///
  /// - Throws: `InvalidSetting` with the key and the reason, such as `must be positive`.
  public func require(_ condition: Bool, _ key: String, _ reason: String) throws(InvalidSetting) {
    if !condition { throw InvalidSetting(key: key, reason: reason) }
  }

  /// Refuses a whole number outside a range.
  public func require(
    _ value: Int, _ key: String, in range: ClosedRange<Int> = 1...1_000_000
  ) throws(InvalidSetting) {
    try require(
      range.contains(value), key,
      "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
  }

  /// Refuses a number outside a range, whose lower end may be excluded.
  public func require(
    _ value: Double, _ key: String, in range: ClosedRange<Double>, excludingLow: Bool = false
  ) throws(InvalidSetting) {
    let low = "\(excludingLow ? "more than" : "at least") \(range.lowerBound.settingText)"
    try require(
      range.contains(value) && !(excludingLow && value == range.lowerBound), key,
      "must be a number such as 2/255 of \(low) and at most \(range.upperBound.settingText)")
  }
}

/// An attack: it looks for images near the given ones on which a network errs.
///
/// An attack of your own is one file: a type that adopts this protocol and an `AttackEntry` to add to a catalog.
public protocol Attack: Sendable {
  /// The choices that the attack has.
  associatedtype Settings: AttackSettings
  /// The choices made; their encoding is the record.
  var settings: Settings { get }
  /// The norm and the radius of perturbations.
  var threat: ThreatModel { get }
  /// An attack with choices that `AttackSettings.validate(in:)` accepts.
  init(_ settings: Settings, in threat: ThreatModel)
  /// The name in tables and files, such as `pgd-20`.
  var name: String { get }
  /// The ball that fooling images are held to; nil for no attack and for transport of mass.
  var ball: ThreatModel? { get }
  /// The attacks that this one consists of, in the order in which they are tried on those that are left.
  var members: [any Attack] { get }
  /// True for an attack that looks for the smallest perturbation, of any size.
  var seeksSmallest: Bool { get }
  /// False for the attack that leaves images as they are.
  var changesImages: Bool { get }
  /// True for an attack that is done with a sample as soon as it is fooled; false for one that spends its whole budget.
  var stopsWhenFooled: Bool { get }
  /// Seconds per sample that do not depend on the network, on the machine where they were measured.
  var overhead: Double { get }
  /// A sentence on the replacement for the attack's definition with so few classes; nil where it is as defined.
  func fallback(classCount: Int) -> String?
  /// The passes for a sample that is never fooled, the unattacked image's one forward included; an upper bound where
  /// chance decides, and for attacks that may end early.
  func budget(classCount: Int) -> Cost
  /// Attacks the samples of a search, which is the only way to the network and counts its passes.
  func attack(_ search: Search)
  /// Attacks a batch; the usual way is `attack(_:)` in a search.
  func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult
}

extension Attack {
  /// The threat model's ball.
  public var ball: ThreatModel? { threat }

  /// The attack itself.
  public var members: [any Attack] { [self] }

  /// False: the attack looks within its ball.
  public var seeksSmallest: Bool { false }

  /// True: images are changed.
  public var changesImages: Bool { true }

  /// True: with the goal `fool`, fooled samples leave the work.
  public var stopsWhenFooled: Bool { true }

  /// Zero: the attack takes no time beside the network's passes.
  public var overhead: Double { 0 }

  /// Nil: the attack works with any number of classes.
  public func fallback(classCount: Int) -> String? { nil }

  /// The usual attack in a threat model, with some choices changed.
  ///
  /// ```swift
  /// let attack = PGD(in: threat) { $0.restarts = 5 }
  /// ```
  ///
  /// Traps on choices that `AttackSettings.validate(in:)` refuses.
  public init(in threat: ThreatModel, _ change: (inout Settings) -> Void = { _ in }) {
    var settings = Settings(in: threat)
    change(&settings)
    do {
      try settings.validate(in: threat)
    } catch {
      preconditionFailure("\(Self.self): \(error)")
    }
    self.init(settings, in: threat)
  }

  /// The choices made, as a tree of keys and values.
  public var record: JSONValue {
    // Encoding numbers and words cannot fail; an attack of somebody else's is recorded by its name at least.
    (try? JSONValue(encoding: settings)) ?? ["name": .string(name)]
  }

  /// Attacks a batch; with the goal `fool` until every sample is fooled or the budget is spent.
  ///
  /// Leaves the network as it was: weights, buffers, gradients and mode.
  ///
  /// - Parameters:
  ///   - classifier: The network.
  ///   - images: Float32 (N, C, H, W) in [0, 1].
  ///   - labels: Classes (N), int64.
  ///   - streams: One random stream per sample, keyed by the sample's index in its data set.
  ///   - goal: The end of the work on a sample: its first fooling image, or the whole budget.
  /// - Returns: Attacked images, verdicts and costs.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    Search.run(
      on: classifier, images: images, labels: labels, streams: streams, goal: goal, body: attack)
  }

  /// Attacks a batch until every sample is fooled or the budget is spent; see `run(on:images:labels:streams:goal:)`.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream]
  ) -> AttackResult {
    run(on: classifier, images: images, labels: labels, streams: streams, goal: .fool)
  }
}

/// The aim of an attack.
public enum Goal: String, Codable, Sendable {
  /// One image per sample that the network gets wrong: a sample leaves the work as soon as it is fooled.
  case fool
  /// The strongest image per sample that the whole budget finds, for use against another network: no sample is
  /// dropped, also not one that is wrong unattacked.
  case strongest
}

/// Attacked images of a batch, with verdicts and costs.
public struct AttackResult {
  /// The attacked images (N, C, H, W): one that fools the network where one was found, else the strongest tried.
  public var images: Tensor
  /// True where the network errs on the attacked image, also for images that it gets wrong unattacked.
  public var fooled: [Bool]
  /// The passes made, per sample.
  public var costs: [Cost]
  /// The size of the smallest perturbation found that fools the network, in the attack's norm, within ε or not.
  ///
  /// 0 for images wrong unattacked, infinity where none was found. Nil for attacks that do not look for it.
  public var distances: [Float]?

  /// A result.
  public init(images: Tensor, fooled: [Bool], costs: [Cost], distances: [Float]? = nil) {
    self.images = images
    self.fooled = fooled
    self.costs = costs
    self.distances = distances
  }
}

/// The passes that a sample needs, counted as if the sample were attacked alone.
public struct Cost: Codable, Hashable, Sendable {
  /// Evaluations of the network, with or without a gradient afterwards.
  public var forwards: Int
  /// Gradients with respect to the image.
  public var backwards: Int
  /// Evaluations made by score-only attackers; included in `forwards`.
  public var queries: Int

  /// A cost.
  public init(forwards: Int = 0, backwards: Int = 0, queries: Int = 0) {
    self.forwards = forwards
    self.backwards = backwards
    self.queries = queries
  }

  /// The sum of two costs.
  public static func + (a: Cost, b: Cost) -> Cost {
    Cost(
      forwards: a.forwards + b.forwards, backwards: a.backwards + b.backwards,
      queries: a.queries + b.queries)
  }

  /// Adds a cost.
  public static func += (a: inout Cost, b: Cost) { a = a + b }
}
