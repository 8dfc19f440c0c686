import NamidEvaluation
import NamidStatistics

/// A mean over samples with its 95 % interval.
package struct MeanInterval: Encodable, Hashable, Sendable {
  /// The mean.
  package var mean: Double
  /// mean ± 1.96 standard errors over samples; nil for a single one.
  package var interval: ConfidenceInterval?

  enum CodingKeys: String, CodingKey {
    case mean
    case interval = "ci95"
  }

  /// The mean of at least one value.
  package init(_ values: [Double]) {
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
package struct SampleShare: Encodable, Hashable, Sendable {
  /// How many.
  package var count: Int
  /// Of how many.
  package var total: Int
  /// The quotient; 0 of none.
  package var share: Double
  /// Wilson's interval.
  package var interval: ConfidenceInterval

  enum CodingKeys: String, CodingKey {
    case count, total, share
    case interval = "ci95"
  }

  /// A share from counts.
  package init(_ count: Int, of total: Int) {
    self.count = count
    self.total = total
    share = total == 0 ? 0 : Double(count) / Double(total)
    interval = .wilson(count, of: total)
  }
}

/// One kind of mutual information of a group, in nats.
package struct PairSummary: Encodable, Hashable, Sendable {
  /// Of the outputs for unattacked images.
  package var clean: MeanInterval
  /// Of the outputs for attacked images.
  package var attacked: MeanInterval
  /// Attacked minus unattacked, sample by sample.
  package var change: MeanInterval
  /// Samples whose value is positive unattacked.
  package var positiveClean: SampleShare
  /// Samples whose value is positive attacked.
  package var positiveAttacked: SampleShare
  /// Samples whose value falls under attack.
  package var falls: SampleShare
  /// Samples whose value rises under attack; those left are exactly equal.
  package var rises: SampleShare

  enum CodingKeys: String, CodingKey {
    case clean, attacked, change, falls, rises
    case positiveClean = "positive_clean"
    case positiveAttacked = "positive_attacked"
  }

  /// A summary of at least one sample; nil of none.
  package init?(_ pair: InformationPair) {
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
package struct GroupSummary: Encodable, Hashable, Sendable {
  /// Which samples.
  package var group: SampleGroup
  /// How many.
  package var count: Int
  /// Natural MI; nil of no sample.
  package var natural: PairSummary?
  /// Adversarial MI; nil of no sample.
  package var adversarial: PairSummary?

  /// The summaries of all groups, in their order.
  package static func all(
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
