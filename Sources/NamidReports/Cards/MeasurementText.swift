import NamidAttacks
import NamidEvaluation
import NamidPages
import NamidSettings
import NamidTerminal
import NamidTraining

/// The measurements of a run and the doubts about them, as Markdown.
struct MeasurementText {
  let reports: [EvaluationReport]
  let catalog: Catalog

  /// The table with one row per checkpoint, attack and specification; nil without measurements.
  var table: String? {
    if reports.isEmpty { return nil }
    return Markdown.table(
      ["checkpoint", "attack", "images", "right", "95 % interval", "threat", "spec"],
      reports.flatMap(rows))
  }

  private func rows(of report: EvaluationReport) -> [[String]] {
    let origin =
      report.source.map {
        " (images made on \(Markdown.plain($0.architecture)), \(Markdown.plain($0.checkpoint)))"
      } ?? ""
    let images =
      "\(thousands(report.dataset.count)) \(Markdown.plain(report.dataset.split)), "
      + Markdown.plain(report.dataset.name)
    let row = { (attack: String, share: Share, ball: String) in
      [
        Markdown.plain(report.model.checkpoint), attack, images,
        "\(twoDigitPercent(share.accuracy)) % (\(share.robust)/\(share.total))",
        share.interval.text(twoDigitPercent), ball,
        Markdown.code(report.specificationHash),
      ]
    }
    let ball = Self.text(of: report.threat)
    var rows = report.lines.map { attack, share in
      guard let attack else { return row("`clean`", share, "none") }
      let isClean = attack.name == "clean" && report.source == nil
      return row(
        AttackText.shown(attack, threat: report.threat, catalog) + origin, share,
        isClean ? "none" : ball)
    }
    if let worst = report.worstCase?.share {
      rows.append(row("worst case of all" + origin, Share(worst.robust, of: worst.total), ball))
    }
    return rows
  }

  /// Formats a ball for people, such as `L∞, ε = 8/255`.
  static func text(of threat: ThreatModel) -> String {
    "\(threat.norm.symbol), ε = \(Markdown.plain(threat.epsilon.description))"
  }

  /// The flags and fallbacks of the evaluations, one entry each.
  var doubts: [String] {
    reports.flatMap { report -> [String] in
      let place = "(\(Markdown.plain(report.model.checkpoint)), \(report.specificationHash))"
      let flags = (report.flags ?? []).map { flag in
        let attack = flag.attack.map { " by \(Markdown.plain($0))" } ?? ""
        return "**\(flag.name.rawValue)**\(attack) \(place): \(Markdown.plain(flag.meaning)). "
          + "What to do: \(Markdown.plain(flag.advice))."
      }
      let fallbacks = report.attacks.compactMap { attack in
        attack.fallback.map {
          "\(Markdown.plain(attack.name)) \(place) is not as defined: \(Markdown.plain($0))."
        }
      }
      return flags + fallbacks
    }
  }

  /// True where every evaluation was examined for signs of masked gradients and similar faults.
  var isExamined: Bool { reports.allSatisfy { $0.flags != nil } }
}
