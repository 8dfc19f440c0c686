import Foundation

/// Runs the programs of a suite in turn.
struct SuiteRunner {
  /// This executable.
  let tool: URL
  /// The peers' Python; nil where no peer takes part.
  let python: PythonEnvironment?
  let repeats: Int
  /// Receives a line for each thing that is being done.
  let say: (String) -> Void

  /// The most time that a program may take to prepare, `torch.compile` included, and to measure once.
  private static let limit: Duration = .seconds(1800)

  /// Measures a comparison; a program that fails is noted, and the others go on.
  func run(_ suiteCase: SuiteCase) -> CaseResult {
    var result = CaseResult(suiteCase)
    var served = result.results.indices.map { _ in PeerProcess?.none }
    if suiteCase.mode == .served {
      for place in served.indices {
        say("\(suiteCase.name): \(suiteCase.contestants[place].name) prepares")
        attempt(&result.results[place]) { entry in served[place] = try started(&entry).process }
      }
    }
    defer { for process in served { process?.close() } }
    let rounds = min(repeats, suiteCase.mostRounds ?? repeats)
    for round in 0..<rounds {
      say("\(suiteCase.name): round \(round + 1) of \(rounds)")
      for place in suiteCase.order(round: round) {
        attempt(&result.results[place]) { entry in
          entry.values.append(try value(suiteCase, &entry, served[place]))
        }
        // Values stay aligned with rounds, whoever has failed.
        while result.results[place].values.count <= round {
          result.results[place].values.append(nil)
        }
      }
    }
    return result
  }

  /// One measurement.
  private func value(
    _ suiteCase: SuiteCase, _ entry: inout ContestantResult, _ served: PeerProcess?
  ) throws -> Double {
    switch suiteCase.mode {
    case .served:
      guard let served else { throw PeerProcess.Failure(description: "it is not running") }
      let seconds = try served.measure(within: Self.limit).seconds
      guard suiteCase.quantity == .secondsPerTeraflop else { return seconds }
      guard let operations = entry.facts["flops"], operations > 0 else {
        throw PeerProcess.Failure(description: "it does not say how many operations it made")
      }
      return seconds / (operations / 1e12)
    case .fresh:
      let (process, ready) = try started(&entry)
      defer { process.close() }
      guard suiteCase.quantity == .peakBytes else { return ready }
      guard let peak = try process.measure(within: Self.limit).peakBytes else {
        throw PeerProcess.Failure(description: "this system does not tell peak memory")
      }
      return peak
    case .untilExit:
      let process = try PeerProcess(try launch(of: entry.contestant))
      try process.waitForSuccess()
      return process.begin.duration(to: .now) / .seconds(1)
    }
  }

  /// A program that is ready, and the seconds that it took.
  private func started(
    _ entry: inout ContestantResult
  ) throws -> (process: PeerProcess, seconds: Double) {
    let process = try PeerProcess(try launch(of: entry.contestant))
    do {
      let ready = try process.ready(within: Self.limit)
      let seconds = process.begin.duration(to: .now) / .seconds(1)
      (entry.facts, entry.versions) = ready
      return (process, seconds)
    } catch {
      process.close()
      throw error
    }
  }

  private func launch(of contestant: Contestant) throws -> PeerProcess.Launch {
    var launch = PeerProcess.Launch(
      executable: tool, arguments: contestant.arguments, environment: contestant.environment)
    if contestant.isOurs { return launch }
    guard let python else { throw PeerProcess.Failure(description: "there is no Python for it") }
    launch.executable = python.interpreter
    if case .peer(let file) = contestant.program {
      launch.arguments = ["-B", python.programs.appending(path: file).path] + launch.arguments
    }
    return launch
  }

  /// Does something for a program that has not failed yet, and notes when it fails.
  private func attempt(
    _ entry: inout ContestantResult, _ body: (inout ContestantResult) throws -> Void
  ) {
    if entry.failure != nil { return }
    do {
      try body(&entry)
    } catch {
      entry.failure = "\(error)"
      say("\(entry.contestant.name) failed: \(error)")
    }
  }
}
