import NamidEvaluation
import NamidStatistics

/// A mean over samples with its 95 % interval.
package struct MeanInterval: Encodable, Hashable, Sendable {
  package var mean: Double
  /// The interval of 1.96 standard errors over samples around the mean; nil for a single sample.
  package var interval: ConfidenceInterval?

  enum CodingKeys: String, CodingKey {
    case mean
    case interval = "ci95"
  }

  /// Computes the mean of at least one value.
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

/// The number and share of samples that have a property, with Wilson's 95 % interval of the share.
package struct SampleShare: Encodable, Hashable, Sendable {
  /// The number of samples that have the property.
  package var count: Int
  package var total: Int
  /// The share of samples that have the property; 0 without samples.
  package var share: Double
  /// Wilson's 95 % interval of the share.
  package var interval: ConfidenceInterval

  enum CodingKeys: String, CodingKey {
    case count, total, share
    case interval = "ci95"
  }

  package init(_ count: Int, of total: Int) {
    self.count = count
    self.total = total
    share = total == 0 ? 0 : Double(count) / Double(total)
    interval = .wilson(count, of: total)
  }
}

/// One kind of mutual information of a group, in nats.
package struct PairSummary: Encodable, Hashable, Sendable {
  /// The mean for the outputs of unattacked images.
  package var clean: MeanInterval
  /// The mean for the outputs of attacked images.
  package var attacked: MeanInterval
  /// The mean change under attack, sample by sample.
  package var change: MeanInterval
  /// The share of samples whose unattacked value is positive.
  package var positiveClean: SampleShare
  /// The share of samples whose attacked value is positive.
  package var positiveAttacked: SampleShare
  /// The share of samples whose value falls under attack.
  package var falls: SampleShare
  /// The share of samples whose value rises under attack; for the remaining samples both values are equal.
  package var rises: SampleShare

  enum CodingKeys: String, CodingKey {
    case clean, attacked, change, falls, rises
    case positiveClean = "positive_clean"
    case positiveAttacked = "positive_attacked"
  }

  /// Sums up a group of samples; nil without samples.
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

/// The mutual information of a group of samples.
package struct GroupSummary: Encodable, Hashable, Sendable {
  package var group: SampleGroup
  package var count: Int
  /// The natural MI; nil without samples.
  package var natural: PairSummary?
  /// The adversarial MI; nil without samples.
  package var adversarial: PairSummary?

  /// Computes the summaries of all groups, in their order.
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
