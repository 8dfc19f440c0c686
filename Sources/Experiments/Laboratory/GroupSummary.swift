import Evaluation
import Records

/// A mean over samples with its 95 % interval.
public struct MeanInterval: Encodable, Hashable, Sendable {
  /// The mean.
  public var mean: Double
  /// mean ± 1.96 standard errors over samples; nil for a single one.
  public var interval: ConfidenceInterval?

  enum CodingKeys: String, CodingKey {
    case mean
    case interval = "ci95"
  }

  /// The mean of at least one value.
  public init(_ values: [Double]) {
    precondition(!values.isEmpty, "the mean of no values")
    let summary = SampleSummary(values)
    let mean = summary.mean
    self.mean = mean
    interval = summary.standardError.map {
      ConfidenceInterval(around: mean, half: ConfidenceInterval.z * $0)
    }
  }
}

/// How many samples have a property, with Wilson's 95 % interval of the share.
public struct SampleShare: Encodable, Hashable, Sendable {
  /// How many.
  public var count: Int
  /// Of how many.
  public var total: Int
  /// The quotient; 0 of none.
  public var share: Double
  /// Wilson's interval.
  public var interval: ConfidenceInterval

  enum CodingKeys: String, CodingKey {
    case count, total, share
    case interval = "ci95"
  }

  /// A share from counts.
  public init(_ count: Int, of total: Int) {
    self.count = count
    self.total = total
    share = total == 0 ? 0 : Double(count) / Double(total)
    interval = .wilson(count, of: total)
  }
}

/// One kind of mutual information of a group, in nats.
public struct PairSummary: Encodable, Hashable, Sendable {
  /// Of the outputs for unattacked images.
  public var clean: MeanInterval
  /// Of the outputs for attacked images.
  public var attacked: MeanInterval
  /// Attacked minus unattacked, sample by sample.
  public var change: MeanInterval
  /// Samples whose value is positive unattacked.
  public var positiveClean: SampleShare
  /// Samples whose value is positive attacked.
  public var positiveAttacked: SampleShare
  /// Samples whose value falls under attack.
  public var falls: SampleShare
  /// Samples whose value rises under attack; those left are exactly equal.
  public var rises: SampleShare

  enum CodingKeys: String, CodingKey {
    case clean, attacked, change, falls, rises
    case positiveClean = "positive_clean"
    case positiveAttacked = "positive_attacked"
  }

  /// A summary of at least one sample; nil of none.
  public init?(_ pair: InformationPair) {
    if pair.clean.isEmpty { return nil }
    let total = pair.clean.count
    let changes = zip(pair.attacked, pair.clean).map { $0 - $1 }
    clean = MeanInterval(pair.clean)
    attacked = MeanInterval(pair.attacked)
    change = MeanInterval(changes)
    positiveClean = SampleShare(pair.clean.count { $0 > 0 }, of: total)
    positiveAttacked = SampleShare(pair.attacked.count { $0 > 0 }, of: total)
    falls = SampleShare(changes.count { $0 < 0 }, of: total)
    rises = SampleShare(changes.count { $0 > 0 }, of: total)
  }
}

/// Mutual information of a group of samples.
public struct GroupSummary: Encodable, Hashable, Sendable {
  /// Which samples.
  public var group: SampleGroup
  /// How many.
  public var count: Int
  /// Natural MI; nil of no sample.
  public var natural: PairSummary?
  /// Adversarial MI; nil of no sample.
  public var adversarial: PairSummary?

  /// The summaries of all groups, in their order.
  public static func all(
    _ values: InformationValues, _ outcomes: SampleOutcomes
  ) -> [GroupSummary] {
    SampleGroup.allCases.map { group in
      let members = outcomes.members(of: group)
      return GroupSummary(
        group: group, count: members.count, natural: PairSummary(values.natural.at(members)),
        adversarial: PairSummary(values.adversarial.at(members)))
    }
  }
}
