import Foundation
import NamidEvaluation

/// The measurement that represents a run in a line of a leaderboard.
///
/// The checkpoint is chosen by the measurements that exist, never by their results: the checkpoint that validation
/// chose, else the last one, else the latest of the others; measurements with AutoAttack come before those without.
struct HeadlineMeasurement {
  let report: EvaluationReport
  /// AutoAttack's standard version with its authors' budget; nil where it was not run.
  let autoAttack: AttackReport?

  /// Chooses among the evaluations on test images of the run's data in its own ball; nil where there is none.
  init?(_ facts: CardFacts) {
    let candidates = facts.evaluations.filter { report in
      report.source == nil && report.dataset.split == "test" && facts.isOwnData(report)
        && report.threat == facts.configuration.threat
    }
    let complete = candidates.filter { Self.autoAttack(in: $0) != nil }
    let preferred = [facts.chosenEpoch, facts.latest.epoch]
    let rank = { (report: EvaluationReport) -> [Double] in
      let epoch = RunEvaluations.epoch(of: report) ?? 0
      let place = preferred.firstIndex(of: epoch) ?? preferred.count
      // Of equally large measurements of one network the lowest counts.
      return [
        Double(place), -Double(epoch), -Double(report.dataset.count),
        Double(Self.autoAttack(in: report)?.robust ?? 0),
      ]
    }
    guard
      let first = (complete.isEmpty ? candidates : complete)
        .min(by: { rank($0).lexicographicallyPrecedes(rank($1)) })
    else { return nil }
    report = first
    autoAttack = Self.autoAttack(in: first)
  }

  static func autoAttack(in report: EvaluationReport) -> AttackReport? {
    report.attacks.first {
      $0.name == "autoattack" && $0.settings["version"]?.stringValue == "standard"
    }
  }
}

extension EvaluationReport {
  /// The share of images that are right unattacked.
  var cleanShare: Share {
    Share(Int((cleanAccuracy * Double(dataset.count)).rounded()), of: dataset.count)
  }

  /// The shares of images that are right under each attack, computed anew from the counts.
  ///
  /// An interval in a file is only a text. The first share is of unattacked images; where the list of attacks has none
  /// for them, it stands without an attack.
  var lines: [(attack: AttackReport?, share: Share)] {
    let own = attacks.map { (attack: Optional($0), share: Share($0.robust, of: $0.total)) }
    return attacks.contains { $0.name == "clean" } ? own : [(nil, cleanShare)] + own
  }
}
