import NamidAttacks
import NamidFiles
import NamidStatistics

/// The result of one attack, and its cost.
public struct AttackReport: Codable, Sendable {
  /// The attack's name, such as `pgd-20`; `clean` for no attack.
  public var name: String
  /// The share of images still classified correctly.
  public var robustAccuracy: Double
  /// The number of images still classified correctly.
  public var robust: Int
  /// The number of images.
  public var total: Int
  /// Wilson's 95 % interval of the share.
  public var interval: ConfidenceInterval
  /// Evaluations of the network, over all images.
  public var forwards: Int
  /// Gradients, over all images.
  public var backwards: Int
  /// Evaluations made by score-only attackers; included in `forwards`.
  public var queries: Int
  /// Wall time.
  public var seconds: Double
  /// The attack's settings by name.
  public var settings: JSONValue
  /// A sentence on the replacement for its definition with so few classes; nil where it is as defined.
  public var fallback: String?
  /// The members of an ensemble in order; nil for other attacks.
  public var members: [MemberReport]?
  /// Claims that did not stand the check, by reason; nil for no attack.
  public var refused: RefusedClaims?
  /// Readings of an attack that looks for the smallest perturbation; nil for others.
  public var minimumNorm: MinimumNormReading?
  /// The share among the images that the network gets right unattacked; only for transfer attacks.
  public var cleanRight: Share?
  /// The results of every sample; nil where they were not recorded.
  public var samples: SampleRecords?

  enum CodingKeys: String, CodingKey {
    case name, robust, total, forwards, backwards, queries, seconds, settings, fallback, members
    case samples
    case robustAccuracy = "robust_accuracy"
    case interval = "ci95"
    case refused = "refused_claims"
    case minimumNorm = "minimum_norm"
    case cleanRight = "clean_right"
  }

  /// A report from counts.
  public init(
    name: String, robust: Int, total: Int, cost: Cost, seconds: Double,
    settings: JSONValue
  ) {
    let share = Share(robust, of: total)
    self.name = name
    self.robust = robust
    self.total = total
    robustAccuracy = share.accuracy
    interval = share.interval
    forwards = cost.forwards
    backwards = cost.backwards
    queries = cost.queries
    self.seconds = seconds
    self.settings = settings
  }
}

extension AttackReport {
  /// The report of an attack that has not attacked anything yet.
  init(unmeasured attack: any Attack, isTransfer: Bool) {
    self.init(
      name: attack.name, robust: 0, total: 0, cost: Cost(), seconds: 0, settings: attack.record)
    let members = attack.members(isTransfer: isTransfer)
    if members.count < 2 { return }
    self.members = members.map {
      MemberReport(
        name: $0.name, settings: $0.record, attacked: 0, fooled: 0, robust: 0,
        refused: RefusedClaims([RefusedClaims]()), cost: Cost(), seconds: 0)
    }
  }

  /// Names of attacks that all differ: one that is listed again, with other settings, is `pgd-20#2`.
  public static func distinctNames(_ names: [String]) -> [String] {
    var uses: [String: Int] = [:]
    return names.map { name in
      let use = uses[name, default: 0] + 1
      uses[name] = use
      return name + (use == 1 ? "" : "#\(use)")
    }
  }
}

/// The result of one member of an ensemble on the samples that the members before it had not fooled.
public struct MemberReport: Codable, Hashable, Sendable {
  /// The member's name, such as `fab-t`.
  public var name: String
  /// Its settings by name.
  public var settings: JSONValue
  /// The number of samples it attacked.
  public var attacked: Int
  /// The number of samples it fooled.
  public var fooled: Int
  /// The number of samples it attacked and did not fool.
  public var robust: Int
  /// Claims that did not stand the check.
  public var refused: RefusedClaims
  /// The cost over those samples.
  public var cost: Cost
  /// Wall time.
  public var seconds: Double

  enum CodingKeys: String, CodingKey {
    case name, settings, attacked, fooled, robust, cost, seconds
    case refused = "refused_claims"
  }
}

/// Claims of having fooled the network that did not stand the check, by reason.
public struct RefusedClaims: Codable, Hashable, Sendable {
  /// The network is right on the image when it is classified anew.
  public var label = 0
  /// The perturbation is larger than allowed.
  public var norm = 0
  /// Values lie outside [0, 1].
  public var box = 0
  /// Values are not numbers.
  public var notFinite = 0

  enum CodingKeys: String, CodingKey {
    case label, norm, box
    case notFinite = "not_finite"
  }

  /// All of them.
  public var count: Int { label + norm + box + notFinite }

  init(_ problems: [Certificate.Problem]) {
    for problem in problems {
      switch problem {
      case .label: label += 1
      case .norm: norm += 1
      case .box: box += 1
      case .notFinite: notFinite += 1
      }
    }
  }

  init(_ parts: [RefusedClaims]) {
    for part in parts {
      label += part.label
      norm += part.norm
      box += part.box
      notFinite += part.notFinite
    }
  }
}

/// The results of an attack for every sample, one list per figure, in the order of the data set.
public struct SampleRecords: Codable, Hashable, Sendable {
  /// 1 where the network is right, 0 where it is wrong.
  public var robust: [Int]
  /// Evaluations of the network.
  public var forwards: [Int]
  /// Gradients.
  public var backwards: [Int]
  /// Evaluations by an attacker who only sees scores.
  public var queries: [Int]
  /// Sizes of the smallest perturbations found, infinite where none was; nil for attacks that look for none.
  public var distances: [Double]?
  /// The place of the member that fooled the network, from 0, or −1; nil for attacks without members.
  public var fooledBy: [Int]?

  enum CodingKeys: String, CodingKey {
    case robust, forwards, backwards, queries, distances
    case fooledBy = "fooled_by"
  }

  init(isRobust: [Bool], costs: [Cost], distances: [Float]?, fooledBy: [Int]?) {
    robust = isRobust.map { $0 ? 1 : 0 }
    forwards = costs.map(\.forwards)
    backwards = costs.map(\.backwards)
    queries = costs.map(\.queries)
    // The decimal text of the float32 value: its binary expansion would feign digits.
    self.distances = distances.map { $0.map { Double($0.description) ?? Double($0) } }
    self.fooledBy = fooledBy
  }
}

/// The samples of a data set as records name them.
public struct SampleNames: Codable, Hashable, Sendable {
  /// Each image's index in the split as it lies on disk.
  public var index: [Int]
  /// Its class.
  public var label: [Int]
  /// 1 where the network is right on the unattacked image.
  public var clean: [Int]
}
