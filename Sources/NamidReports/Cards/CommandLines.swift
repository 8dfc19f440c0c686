import Foundation
import NamidEvaluation
import NamidTraining

/// The commands that train a run again and measure it again, called from the folder that holds the run's folder.
struct CommandLines {
  private let facts: CardFacts
  private let name: String

  init(_ facts: CardFacts) {
    self.facts = facts
    name = ShellText.word(facts.name)
  }

  /// The command that trains again; nil where weights were imported.
  var training: String? {
    if facts.isImported { return nil }
    let again = ShellText.word(facts.name + "-again")
    return "namid train --config \(name)/\(RunFolder.configurationFile) --out \(again)"
  }

  /// The commands that measure each evaluation again, with a comment in place of a command that cannot be given.
  var evaluations: [String] {
    facts.evaluations.isEmpty
      ? ["namid evaluate \(name) --attack clean,pgd-20,autoattack"]
      : facts.evaluations.map(evaluation)
  }

  private func evaluation(_ report: EvaluationReport) -> String {
    let mark = "# spec \(report.specificationHash)"
    if report.source != nil { return mark + ": images of another network, see namid transfer" }
    let attacks = report.attacks.map { AttackText.commandLine(of: $0, threat: report.threat) }
    guard !attacks.contains(nil), let epoch = RunEvaluations.epoch(of: report) else {
      return mark + ": its attacks have settings that no command line gives"
    }
    var words = [
      "namid evaluate \(name) --checkpoint \(epoch)",
      "--attack " + attacks.compactMap(\.self).joined(separator: ","),
    ]
    if report.dataset.split != "test", ShellText.isHarmless(report.dataset.split) {
      words.append("--split \(report.dataset.split)")
    }
    if report.dataset.split != "test" || facts.published(.test) != report.dataset.count {
      words.append("--limit \(report.dataset.count)")
    }
    if !facts.isOwnThreat(report) {
      let written = report.threat.epsilon.description
      let radius = ShellText.isHarmless(written) ? written : "\(report.threat.epsilon.value)"
      words.append("--norm \(report.threat.norm.rawValue) --epsilon \(radius)")
    }
    if report.seed != 0 { words.append("--seed \(report.seed)") }
    if !facts.isOwnData(report) { words.append("--dataset …") }
    return words.joined(separator: " ") + "  " + mark
  }
}
