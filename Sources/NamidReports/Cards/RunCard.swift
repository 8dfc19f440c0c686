import Foundation
import NamidEvaluation
import NamidFiles
import NamidTraining

/// The files in which a run describes itself: `README.md`, a model card, and `robustbench.json`, a leaderboard's line.
///
/// Both are made from the run's own files and from the evaluations in its folder, and rewritten whenever these change.
/// A failure is reported and never ends a training or a measurement.
package enum RunCard {
  /// Writes the card and the line of a run whose training has ended, with the training's own summary and the number of
  /// trainable values; says what could not be written.
  package static func write(
    afterTraining run: URL, summary training: String, parameters: Int, texts: any CommandTexts,
    catalog: Catalog = .standard, say: (String) -> Void
  ) {
    write(run, Known(training: training, parameters: parameters), texts, catalog, say: say)
  }

  /// Leaves a copy of a report on one of the run's checkpoints in its folder, and writes the card and the line with it;
  /// says what could not be written.
  package static func write(
    afterEvaluation run: URL, _ report: EvaluationReport, texts: any CommandTexts,
    catalog: Catalog = .standard, say: (String) -> Void
  ) {
    do {
      try RunEvaluations.keep(report, in: run)
    } catch {
      say("\(run.relativePath) keeps no copy of the figures: \(error)")
    }
    var known = Known(parameters: report.model.parameters)
    if let epoch = RunEvaluations.epoch(of: report) {
      known.fingerprints[epoch] = report.model.fingerprint
    }
    write(run, known, texts, catalog, say: say)
  }

  /// The facts that are known already and need not be read from files.
  private struct Known {
    var training: String?
    var parameters: Int?
    var fingerprints: [Int: String] = [:]
  }

  private static func write(
    _ run: URL, _ known: Known, _ texts: any CommandTexts, _ catalog: Catalog,
    say: (String) -> Void
  ) {
    do {
      var facts = try CardFacts(run: run, catalog: catalog, say: say)
      // Of two evaluations that end at the same time, the second must see the first one's copy.
      let lock = FolderLock(waitingFor: run, named: ".card-lock")
      defer { withExtendedLifetime(lock) {} }
      let files = CardFiles(run: run)
      let earlier = files.earlierEntry
      let evaluations = RunEvaluations(of: run, known: known.fingerprints, catalog: catalog)
      for problem in evaluations.problems {
        say("left out of the card of \(run.relativePath): \(problem)")
      }
      facts.evaluations = evaluations.reports
      facts.parameters = known.parameters ?? evaluations.reports.first?.model.parameters
      facts.trainingLine = known.training ?? trainingLine(in: earlier, of: facts)
      let entry = RobustBenchEntry(facts, replacing: earlier)
      try files.write(ModelCard(facts: facts, texts: texts), entry.tree, say: say)
    } catch {
      say("no model card for \(run.relativePath): \(error)")
    }
  }

  /// Returns the summary of training in an earlier line; nil where that line is about another training.
  private static func trainingLine(in entry: JSONObject?, of facts: CardFacts) -> String? {
    guard let details = entry?["namid"], let data = facts.latest.dataFingerprint,
      details["data_fingerprint"]?.stringValue == data,
      details["configuration_hash"]?.stringValue == facts.latest.configurationHash,
      let line = details["training"]?.stringValue, line.utf8.count <= 2000
    else { return nil }
    return line
  }
}
