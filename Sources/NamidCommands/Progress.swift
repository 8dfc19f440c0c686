import NamidEvaluation
import NamidLaboratory
import NamidTerminal
import NamidTraining

/// Shows training on the terminal: a bar within an epoch, a line after it.
final class TrainingProgress {
  private var line: ProgressLine?
  private var epoch = 0

  func show(_ event: TrainingEvent) {
    switch event {
    case .progress(let epoch, let total, let batch, let batches, let terms):
      if self.epoch != epoch {
        line?.finish()
        line = ProgressLine("epoch \(epoch)/\(total)", total: batches)
        self.epoch = epoch
      }
      line?.update(batch, notes: terms.map { ($0.name, shortNumber($0.value)) })
    case .epoch(let record):
      line?.finish()
      line = nil
      note(Self.text(of: record))
    case .warning(let text): note(text)
    }
  }

  static func text(of record: EpochRecord) -> String {
    let terms = record.terms.map { "\($0.name) \(shortNumber($0.value))" }
    let validation = record.validation.map { "val \($0.name) \(Figures.percent($0.value))" }
    let parts =
      ["epoch \(record.epoch)"] + terms + validation + [durationText(seconds: record.seconds)]
    return parts.joined(separator: "  ") + (record.isBest ? "  (best)" : "")
  }
}

/// Shows how far attacks are: what is left standing, and the time left.
final class EvaluationProgress {
  private var line: ProgressLine?
  private var name = ""

  func show(_ attack: String, _ progress: Evaluator.Progress) {
    if name != attack {
      line?.finish()
      line = ProgressLine(attack, total: progress.total, unit: "images")
      name = attack
    }
    line?.update(progress.done, notes: [("standing", "\(progress.robust)/\(progress.count)")])
  }

  func finish() {
    line?.finish()
    line = nil
    name = ""
  }
}
