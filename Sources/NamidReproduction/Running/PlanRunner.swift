import Foundation
import NamidFiles

/// Runs the steps of a plan, each only once and after all that it needs.
///
/// A failing step stops those that need it and no others. What is finished is kept at once, so that any interruption
/// costs at most what the steps in progress cannot resume by themselves.
package struct PlanRunner {
  /// An event that is reported while steps run.
  package enum Event: Sendable {
    /// A step was finished by an earlier call.
    case reused(ExperimentStep)
    /// A step begins: which of how many that are to do.
    case begins(ExperimentStep, number: Int, of: Int)
    /// A step has ended.
    case ended(ExperimentStep, StepResult, seconds: Double)
  }

  /// Begins a step in the experiment's folder, with all that it prints in the log; throws what prevents that.
  ///
  /// The closure that it returns is called repeatedly until it returns the end of the step; nil means not yet.
  package typealias Launch = (_ step: ExperimentStep, _ log: URL) throws -> (() -> StepEnd?)

  private let plan: ExperimentPlan
  private let store: StepStore
  private let freeBytes: () -> Double?

  /// A runner of a plan in a folder.
  package init(_ plan: ExperimentPlan, store: StepStore) {
    self.init(plan, store: store, freeBytes: { store.freeBytes })
  }

  /// A runner that is told how much room there is.
  init(_ plan: ExperimentPlan, store: StepStore, freeBytes: @escaping () -> Double?) {
    self.plan = plan
    self.store = store
    self.freeBytes = freeBytes
  }

  /// The steps that earlier calls have not finished.
  package var remaining: [ExperimentStep] { plan.steps.filter { store.finished($0) == nil } }

  private struct Job {
    var step: ExperimentStep
    var begin: Date
    var poll: () -> StepEnd?
  }

  /// Does what is to do.
  ///
  /// - Parameters:
  ///   - jobs: The most steps that are at work at the same time.
  ///   - launch: Begins a step.
  ///   - rest: Called whenever all steps are at work; it should take a moment.
  ///   - tell: Called with each event.
  /// - Returns: The outcome of every step; `isInterrupted` is true where steps that could be tried were not.
  package func run(
    jobs: Int = 1, launch: Launch, rest: () -> Void = {}, tell: (Event) -> Void = { _ in }
  ) -> (results: [String: StepResult], isInterrupted: Bool) {
    precondition(jobs >= 1, "\(jobs) steps at a time")
    var results: [String: StepResult] = [:]
    var waiting = plan.steps
    var atWork: [Job] = []
    var isInterrupted = false
    var number = 0
    let total = remaining.count

    func end(_ step: ExperimentStep, _ result: StepResult, seconds: Double) {
      results[step.id] = result
      tell(.ended(step, result, seconds: seconds))
    }

    while true {
      var place = 0
      while !isInterrupted, atWork.count < jobs, place < waiting.count {
        let step = waiting[place]
        if let record = store.finished(step) {
          results[step.id] = .finished(record)
          tell(.reused(step))
          waiting.remove(at: place)
          continue
        }
        guard step.needs.allSatisfy({ results[$0] != nil }) else {
          place += 1
          continue
        }
        waiting.remove(at: place)
        number += 1
        if let missing = step.needs.first(where: { results[$0]?.isFinished != true }) {
          let title = plan[missing]?.title ?? missing
          end(step, .notRun(reason: "not run: needs \"\(title)\""), seconds: 0)
        } else {
          tell(.begins(step, number: number, of: total))
          let begin = Date()
          switch start(step, launch) {
          case .success(let poll): atWork.append(Job(step: step, begin: begin, poll: poll))
          case .failure(let early): end(step, early.result, seconds: 0)
          }
        }
        // What has ended may be what an earlier step waits for.
        place = 0
      }
      if atWork.isEmpty { break }
      var hasEnded = false
      for job in atWork {
        guard let stepEnd = job.poll() else { continue }
        hasEnded = true
        atWork.removeAll { $0.step.id == job.step.id }
        let seconds = Date().timeIntervalSince(job.begin)
        if stepEnd.way == .interrupted { isInterrupted = true }
        end(job.step, result(of: job.step, stepEnd, seconds: seconds), seconds: seconds)
      }
      if !hasEnded { rest() }
    }
    for step in waiting {
      results[step.id] =
        store.finished(step).map(StepResult.finished) ?? .notRun(reason: "not run: interrupted")
    }
    return (results, isInterrupted)
  }

  // MARK: One step

  /// The result of a step that ended before it was launched.
  private struct EarlyEnd: Error {
    var result: StepResult
  }

  private func start(
    _ step: ExperimentStep, _ launch: Launch
  ) -> Result<() -> StepEnd?, EarlyEnd> {
    do {
      try store.prepare(step)
      if let record = try store.takeOver(step, in: plan) {
        return .failure(EarlyEnd(result: .finished(record)))
      }
      return .success(try launch(step, store.log(of: step.id)))
    } catch {
      return .failure(EarlyEnd(result: failed(step, "\(error)")))
    }
  }

  private func result(
    of step: ExperimentStep, _ end: StepEnd, seconds: Double
  ) -> StepResult {
    switch end.way {
    case .interrupted: return .notRun(reason: "not finished: interrupted")
    case .exited(0):
      guard FileManager.default.fileExists(atPath: store.product(of: step).path) else {
        return failed(step, "it left no \(step.kind.product)")
      }
      do {
        return .finished(
          try store.finish(step, seconds: seconds, peakMemory: end.peakMemory))
      } catch {
        return failed(step, "\(error)")
      }
    case .exited(let status): return failed(step, "exit status \(status)\(roomHint)")
    case .signal(let signal):
      let hint = signal == 9 ? " (out of memory?)" : ""
      return failed(step, "ended by signal \(signal)\(hint)")
    }
  }

  /// A hint at a full disk, which keeps a step's own words out of its log.
  private var roomHint: String {
    guard let free = freeBytes(), free < 1e6 else { return "" }
    return " (no space left in \(store.root.path))"
  }

  private func failed(_ step: ExperimentStep, _ reason: String) -> StepResult {
    .failed(reason: reason, lines: store.lastLines(of: step.id))
  }
}
