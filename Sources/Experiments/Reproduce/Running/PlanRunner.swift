import Foundation
import Records

/// How a call of the tool ended.
public struct StepEnd: Hashable, Sendable {
  /// The ways to end.
  public enum Way: Hashable, Sendable {
    /// With an exit status.
    case exited(Int32)
    /// By a signal.
    case signal(Int32)
    /// Because this process was told to stop.
    case interrupted
  }

  /// How.
  public var way: Way
  /// The most memory that it took, in bytes; nil where that is not known.
  public var peakMemory: Int?

  /// An end.
  public init(_ way: Way, peakMemory: Int? = nil) {
    self.way = way
    self.peakMemory = peakMemory
  }
}

/// What became of a step.
public enum StepResult: Hashable, Sendable {
  /// It is finished.
  case finished(StepRecord)
  /// It failed, with the reason and its last lines.
  case failed(reason: String, lines: [String])
  /// It was not tried.
  case notRun(reason: String)

  /// Whether figures of it may be used.
  public var isFinished: Bool {
    if case .finished = self { return true }
    return false
  }
}

/// Runs the steps of a plan one after another, and each only once.
///
/// A failing step stops those that need it and no others. What is finished is kept at once, so that any interruption
/// costs at most what the step in progress cannot resume by itself.
public struct PlanRunner {
  /// What it tells while it works.
  public enum Event: Sendable {
    /// A step was finished by an earlier call.
    case reused(ExperimentStep)
    /// A step begins: which of how many that are to do.
    case begins(ExperimentStep, number: Int, of: Int)
    /// A step has ended.
    case ended(ExperimentStep, StepResult, seconds: Double)
  }

  /// Carries out a step in the experiment's folder, with all that it prints in the log; throws what prevents that.
  public typealias Launch = (_ step: ExperimentStep, _ log: URL) throws -> StepEnd

  private let plan: ExperimentPlan
  private let store: StepStore
  private let freeBytes: () -> Double?

  /// A runner of a plan in a folder.
  public init(_ plan: ExperimentPlan, store: StepStore) {
    self.init(plan, store: store, freeBytes: { store.freeBytes })
  }

  /// A runner that is told how much room there is.
  init(_ plan: ExperimentPlan, store: StepStore, freeBytes: @escaping () -> Double?) {
    self.plan = plan
    self.store = store
    self.freeBytes = freeBytes
  }

  /// The steps that earlier calls have not finished.
  public var remaining: [ExperimentStep] { plan.steps.filter { store.finished($0) == nil } }

  /// Does what is to do.
  ///
  /// - Parameters:
  ///   - launch: Carries out a step.
  ///   - tell: Told what happens.
  /// - Returns: What became of every step, and whether all that could be tried was.
  public func run(
    launch: Launch, tell: (Event) -> Void = { _ in }
  ) -> (results: [String: StepResult], isInterrupted: Bool) {
    var results: [String: StepResult] = [:]
    let total = remaining.count
    var number = 0
    var isInterrupted = false
    for step in plan.steps {
      if let record = store.finished(step) {
        results[step.id] = .finished(record)
        tell(.reused(step))
        continue
      }
      if isInterrupted {
        results[step.id] = .notRun(reason: "not run: interrupted")
        continue
      }
      number += 1
      if let missing = step.needs.first(where: { results[$0]?.isFinished != true }) {
        let title = plan[missing]?.title ?? missing
        results[step.id] = .notRun(reason: "not run: needs \"\(title)\"")
        if let result = results[step.id] { tell(.ended(step, result, seconds: 0)) }
        continue
      }
      tell(.begins(step, number: number, of: total))
      let begin = Date()
      let (result, stops) = perform(step, launch)
      isInterrupted = stops
      results[step.id] = result
      tell(.ended(step, result, seconds: Date().timeIntervalSince(begin)))
    }
    return (results, isInterrupted)
  }

  private func perform(
    _ step: ExperimentStep, _ launch: Launch
  ) -> (result: StepResult, isInterrupted: Bool) {
    do {
      if let record = try store.takeOver(step, in: plan) { return (.finished(record), false) }
      try createFolder(at: store.folder(of: step.id))
      // The command is there for whoever looks into the folder of a step that failed.
      try AtomicFile.write(
        Data((step.command + "\n").utf8),
        to: store.folder(of: step.id).appending(path: "command.txt"))
      let begin = Date()
      let end = try launch(step, store.log(of: step.id))
      let seconds = Date().timeIntervalSince(begin)
      switch end.way {
      case .interrupted: return (.notRun(reason: "not finished: interrupted"), true)
      case .exited(0):
        guard FileManager.default.fileExists(atPath: store.product(of: step).path) else {
          return (failed(step, "it left no \(step.kind.product)"), false)
        }
        let record = try store.finish(step, seconds: seconds, peakMemory: end.peakMemory)
        return (.finished(record), false)
      case .exited(let status):
        return (failed(step, "exit status \(status)\(roomHint)"), false)
      case .signal(let signal):
        let hint = signal == 9 ? " (out of memory?)" : ""
        return (failed(step, "ended by signal \(signal)\(hint)"), false)
      }
    } catch {
      return (failed(step, "\(error)"), false)
    }
  }

  /// A full disk keeps a step's own words out of its log.
  private var roomHint: String {
    guard let free = freeBytes(), free < 1e6 else { return "" }
    return " (no space left in \(store.root.path))"
  }

  private func failed(_ step: ExperimentStep, _ reason: String) -> StepResult {
    .failed(reason: reason, lines: store.lastLines(of: step.id))
  }
}
