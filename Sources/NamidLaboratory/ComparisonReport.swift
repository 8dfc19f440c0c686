import Foundation
import NamidEvaluation
import NamidInformation
import NamidSettings
import NamidStatistics

/// A comparison of two pairs of estimators by their separation, for one kind of MI and one group of samples.
package struct EstimatorGap: Encodable, Sendable {
  /// The role that is expected to separate more.
  package var first: EstimatorRole
  package var second: EstimatorRole
  package var kind: InformationKind
  /// The group of samples: all, or those that Equation 6 selects.
  package var group: SampleGroup
  /// The areas under the ROC curve of both roles.
  package var areas: [Double]
  /// The difference of the areas, on the same samples.
  package var gap: SeparationGap

  enum CodingKeys: String, CodingKey {
    case first, second, kind, group, gap
    case areas = "aucs"
  }
}

/// The readings of all estimators under one attack.
package struct AttackComparison: Encodable, Sendable {
  package var attack: AttackRecord
  /// The share of samples that Equation 6 selects.
  package var selected: SampleShare
  package var readings: [EstimatorReading]
  /// The comparisons of roles by their separation.
  package var gaps: [EstimatorGap]

  package init(_ attack: AttackRecord, outcomes: SampleOutcomes, readings: [EstimatorReading]) {
    self.attack = attack
    self.readings = readings
    selected = SampleShare(outcomes.isSelected.count(where: \.self), of: outcomes.count)
    gaps = InformationKind.allCases.flatMap { kind in
      [SampleGroup.all, .selected].flatMap { group in
        EstimatorRole.gaps.compactMap { Self.gap($0.first, $0.second, kind, group, readings) }
      }
    }
  }

  private static func gap(
    _ first: EstimatorRole, _ second: EstimatorRole, _ kind: InformationKind, _ group: SampleGroup,
    _ readings: [EstimatorReading]
  ) -> EstimatorGap? {
    func separation(_ role: EstimatorRole) -> Separation? {
      guard let reading = readings.first(where: { $0.role == role }) else { return nil }
      return group == .all ? reading[kind].separation : reading[kind].selected
    }
    guard let one = separation(first), let other = separation(second) else { return nil }
    return EstimatorGap(
      first: first, second: second, kind: kind, group: group, areas: [one.area, other.area],
      gap: SeparationGap(one, over: other))
  }
}

/// A report on estimators trained by Equations 4 and 5 and their placebos, on one network, as in Figure 4.
package struct ComparisonReport: Encodable, Sendable {
  package var setting: InformationReport.Setting
  package var attacks: [AttackComparison]
  /// A digest of everything that decides these figures.
  package var specificationHash: String

  enum CodingKeys: String, CodingKey {
    case setting, attacks
    case specificationHash = "spec_hash"
  }

  /// Creates a report and computes its digest.
  package init(setting: InformationReport.Setting, attacks: [AttackComparison]) throws {
    self.setting = setting
    self.attacks = attacks
    specificationHash = try NamidSettings.specificationHash(
      attacks.map { $0.readings.map { [$0.role.rawValue, $0.specificationHash] } })
  }
}

/// A question of Figure 4 with its answer.
package struct Finding: Encodable, Hashable, Sendable {
  package var question: String
  /// The answer, which is undecided unless the 95 % interval excludes the opposite.
  package var answer: SeparationGap.Verdict
  /// The figures behind the answer.
  package var figures: String
}

extension AttackComparison {
  /// The answers to the questions of Figure 4, over all samples.
  package var findings: [Finding] {
    readings.filter { $0.role == .eq4 || $0.role == .eq5 }.flatMap { reading in
      [
        Self.finding(reading, .natural, "smaller natural MI", reading.natural.summary.falls),
        Self.finding(
          reading, .adversarial, "larger adversarial MI", reading.adversarial.summary.rises),
      ]
    } + gaps.filter { $0.group == .all }.map(\.finding)
  }

  private static func finding(
    _ reading: EstimatorReading, _ kind: InformationKind, _ claim: String, _ share: SampleShare
  ) -> Finding {
    let change = reading[kind].summary.change
    let unknown = ConfidenceInterval(-.infinity, .infinity)
    let rises = change.interval ?? unknown
    let falls = ConfidenceInterval(-rises.high, -rises.low)
    return Finding(
      question: "\(reading.role.rawValue): do adversarial samples have \(claim)?",
      answer: SeparationGap.Verdict(kind == .natural ? falls : rises),
      figures:
        "the mean changes by \(Figures.nats(change)) nats; \(Figures.percent(share)) of samples")
  }
}

extension EstimatorGap {
  /// The question whether the first role separates more than the second, with its answer.
  package var finding: Finding {
    Finding(
      question:
        "does \(first.rawValue) separate by \(kind.rawValue) MI more than \(second.rawValue)?",
      answer: gap.verdict,
      figures: "AUC " + areas.map { String(format: "%.3f", $0) }.joined(separator: " against ")
        + ", a difference of " + Figures.signed(gap.gap, interval: gap.interval))
  }
}
