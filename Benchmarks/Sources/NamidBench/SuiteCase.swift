/// A program that takes part in a comparison.
struct Contestant: Equatable {
  /// The program to start.
  enum Program: Equatable {
    /// This executable, which measures by its subcommand `measure`.
    case ours
    /// A file of `Benchmarks/speed`, run by Python.
    case peer(file: String)
    /// Python itself.
    case python
  }

  /// The name in tables, such as `namid bfloat16`.
  let name: String
  let program: Program
  let arguments: [String]
  /// Variables that are set for it beside those of the suite.
  var environment: [String: String] = [:]
  /// Peers of one kind are variants of one idea: the best of them counts.
  var kind: String
  /// Floating-point operations of one measurement, where they are counted.
  var operations: Double?

  /// True of a program of this project.
  var isOurs: Bool { program == .ours }
}

/// Programs that do the same work, to be measured in turn.
struct SuiteCase: Equatable {
  /// The way in which programs are run.
  enum Mode: Equatable {
    /// All are started once and asked in turn.
    case served
    /// Each measurement is made by a new process.
    case fresh
    /// Each measurement is a run of a process to its end.
    case untilExit
  }

  /// The quantity that is compared; less is better.
  enum Quantity: String, Equatable {
    /// Seconds of the work.
    case seconds
    /// Seconds from the start of the process until it is ready, or to its end.
    case startSeconds = "start-seconds"
    /// Seconds for 10¹² floating-point operations: programs may choose the size of their work.
    case secondsPerTeraflop = "seconds-per-teraflop"
    /// The most memory that the process has had, in bytes.
    case peakBytes = "peak-bytes"
  }

  /// Files that must lie in the suite's folder of inputs.
  enum Input: Hashable {
    case network(width: Int, images: Int)
    case estimators(units: Int)
    case evaluation(images: Int)
  }

  let name: String
  /// The item of the suite that it belongs to.
  let item: SuiteItem
  /// One line that says what is done.
  let title: String
  var mode = Mode.served
  var quantity = Quantity.seconds
  /// Images per measurement, where times are given per image.
  var images: Int?
  var inputs: Set<Input> = []
  /// The most rounds that are worth their time; nil for as many as are asked for.
  var mostRounds: Int?
  var contestants: [Contestant]

  /// This project's programs; ratios are given over each.
  var ours: [Contestant] { contestants.filter(\.isOurs) }

  /// The order in which the programs are asked in a round: every second round backwards, so that what drifts slowly
  /// harms all alike.
  func order(round: Int) -> [Int] {
    let forwards = Array(contestants.indices)
    return round.isMultiple(of: 2) ? forwards : forwards.reversed()
  }
}

/// A part of the suite that `--only` can choose.
enum SuiteItem: String, CaseIterable {
  case pgd10Narrow = "pgd10-w16"
  case pgd10Wide = "pgd10-w64"
  case namidNarrow = "namid-w16"
  case namidWide = "namid-w64"
  case evaluation = "pgd40-eval"
  case estimators = "estimator-step"
  case data
  case start
  case memory
  case matmul
}
