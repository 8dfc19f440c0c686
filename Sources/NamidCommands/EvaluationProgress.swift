import NamidEvaluation
import NamidTerminal

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
