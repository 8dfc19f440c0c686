/// How a call of the tool ended.
package struct StepEnd: Hashable, Sendable {
  /// The ways to end.
  package enum Way: Hashable, Sendable {
    /// With an exit status.
    case exited(Int32)
    /// By a signal.
    case signal(Int32)
    /// Because this process was told to stop.
    case interrupted
  }

  /// How.
  package var way: Way
  /// The most memory that it took, in bytes; nil where that is not known.
  package var peakMemory: Int?

  /// An end.
  package init(_ way: Way, peakMemory: Int? = nil) {
    self.way = way
    self.peakMemory = peakMemory
  }
}

/// What became of a step.
package enum StepResult: Hashable, Sendable {
  /// It is finished.
  case finished(StepRecord)
  /// It failed, with the reason and its last lines.
  case failed(reason: String, lines: [String])
  /// It was not tried.
  case notRun(reason: String)

  /// Whether figures of it may be used.
  package var isFinished: Bool {
    if case .finished = self { return true }
    return false
  }
}
