/// The end of a call of the tool.
package struct StepEnd: Hashable, Sendable {
  /// The ways to end.
  package enum Way: Hashable, Sendable {
    /// The end by an exit status.
    case exited(Int32)
    /// The end by a signal.
    case signal(Int32)
    /// The end of a call that was stopped because this process was told to stop.
    case interrupted
  }

  /// The way in which it ended.
  package var way: Way
  /// The most memory that it took, in bytes; nil where that is not known.
  package var peakMemory: Int?

  /// An end.
  package init(_ way: Way, peakMemory: Int? = nil) {
    self.way = way
    self.peakMemory = peakMemory
  }
}

/// The outcome of a step.
package enum StepResult: Hashable, Sendable {
  /// A finished step.
  case finished(StepRecord)
  /// A failed step, with the reason and its last lines.
  case failed(reason: String, lines: [String])
  /// A step that was not tried.
  case notRun(reason: String)

  /// True where the step is finished, so that its figures may be used.
  package var isFinished: Bool {
    if case .finished = self { return true }
    return false
  }
}
