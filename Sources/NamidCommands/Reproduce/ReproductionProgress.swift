import Foundation
import NamidReproduction
import NamidTerminal

/// Shows how far a reproduction has come: a line per step, and on a terminal a line that moves.
final class ReproductionProgress {
  private var clock: ProgressClock
  private let jobs: Int
  private var atWork: [(step: ExperimentStep, begin: Date)] = []
  private var reused = 0
  private var lastDrawn = Date.distantPast
  private var isDrawn = false

  init(_ work: ReproductionWork, _ costs: CostTable, jobs: Int) {
    self.jobs = jobs
    clock = ProgressClock(
      Dictionary(
        work.remaining.compactMap { step in
          step.workload.flatMap(costs.estimate).map { (step.id, $0.seconds) }
        }, uniquingKeysWith: { first, _ in first }), jobs: jobs)
  }

  func show(_ event: PlanRunner.Event) {
    clear()
    switch event {
    case .reused: reused += 1
    case .begins(let step, let number, let total):
      if reused > 0 {
        note("\(reused) finished step\(reused == 1 ? "" : "s") used again")
        reused = 0
      }
      atWork.append((step, Date()))
      let head = "[\(number)/\(total)] \(step.title)"
      let estimate = clock.seconds(of: step.id).map { ": about \(durationText(seconds: $0))" }
      note(
        head + (estimate ?? "") + ", \(durationText(seconds: clock.remaining)) left in all")
    case .ended(let step, let result, let seconds):
      atWork.removeAll { $0.step.id == step.id }
      switch result {
      case .finished(let record):
        clock.end(step.id, seconds: record.sameAs == nil ? seconds : nil)
        if record.sameAs != nil {
          note("  \(name(step))the best epoch is the last: figures taken over")
        }
      case .failed(let reason, let lines):
        clock.end(step.id, seconds: nil)
        note("  failed: \(name(step))\(reason)")
        for line in lines { note("    \(line)") }
      case .notRun(let reason):
        clock.end(step.id, seconds: nil)
        note("  \(step.title): \(reason)")
      }
    }
  }

  /// Redraws the moving line, where there is a terminal.
  func tick() {
    guard Terminal.isInteractive, Date().timeIntervalSince(lastDrawn) > 0.5 else { return }
    lastDrawn = Date()
    let parts = atWork.map { step, begin in
      let elapsed = durationText(seconds: Date().timeIntervalSince(begin))
      let estimate = clock.seconds(of: step.id).map { " of about \(durationText(seconds: $0))" }
      return (atWork.count > 1 ? "\(step.title) " : "") + elapsed + (estimate ?? "")
    }
    let line = "  " + parts.joined(separator: " | ")
    Terminal.writeError("\r\(truncated(line, toColumns: Terminal.columns - 1))\u{1B}[K")
    isDrawn = true
  }

  /// Names the step that a line is about, where several steps are at work at the same time.
  private func name(_ step: ExperimentStep) -> String {
    jobs > 1 ? "\(step.title): " : ""
  }

  private func clear() {
    if isDrawn { Terminal.writeError("\r\u{1B}[K") }
    isDrawn = false
  }
}
