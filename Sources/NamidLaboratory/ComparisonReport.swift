import Foundation
import NamidEvaluation
import NamidInformation
import NamidSettings
import NamidStatistics

/// Whether one pair of estimators separates more than another one, for one kind of MI and one group of samples.
package struct EstimatorGap: Encodable, Sendable {
  /// Which is expected to separate more.
  package var first: EstimatorRole
  /// Which it is held against.
  package var second: EstimatorRole
  /// Natural or adversarial MI.
  package var kind: InformationKind
  /// All samples, or those that Equation 6 selects.
  package var group: SampleGroup
  /// Both areas under the ROC curve.
  package var areas: [Double]
  /// Their difference, on the same samples.
  package var gap: SeparationGap

  enum CodingKeys: String, CodingKey {
    case first, second, kind, group, gap
    case areas = "aucs"
  }
}

/// What all estimators read of one attack.
package struct AttackComparison: Encodable, Sendable {
  /// How the attacked images came about.
  package var attack: AttackRecord
  /// Samples that Equation 6 selects.
  package var selected: SampleShare
  /// What each pair of estimators reads.
  package var readings: [EstimatorReading]
  /// Which separates more.
  package var gaps: [EstimatorGap]

  /// Sums up one attack.
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

/// Estimators trained by Equations 4 and 5 side by side on one network, with those that know nothing: Figure 4.
package struct ComparisonReport: Encodable, Sendable {
  /// How it was measured.
  package var setting: InformationReport.Setting
  /// One entry per attack, in order.
  package var attacks: [AttackComparison]
  /// A digest of everything that decides these figures.
  package var specificationHash: String

  enum CodingKeys: String, CodingKey {
    case setting, attacks
    case specificationHash = "spec_hash"
  }

  /// A report; its digest is computed here.
  package init(setting: InformationReport.Setting, attacks: [AttackComparison]) throws {
    self.setting = setting
    self.attacks = attacks
    specificationHash = try NamidSettings.specificationHash(
      attacks.map { $0.readings.map { [$0.role.rawValue, $0.specificationHash] } })
  }
}

/// A question of Figure 4 with what was found.
package struct Finding: Encodable, Hashable, Sendable {
  /// The question.
  package var question: String
  /// Whether the 95 % interval excludes the opposite.
  package var answer: SeparationGap.Verdict
  /// The figures that say so.
  package var figures: String
}

extension AttackComparison {
  /// Answers to the questions of Figure 4 over all samples, as found.
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
  /// Which separates more.
  package var finding: Finding {
    Finding(
      question:
        "does \(first.rawValue) separate by \(kind.rawValue) MI more than \(second.rawValue)?",
      answer: gap.verdict,
      figures: "AUC " + areas.map { String(format: "%.3f", $0) }.joined(separator: " against ")
        + ", a difference of " + Figures.signed(gap.gap, interval: gap.interval))
  }
}
