import Foundation
import NamidTerminal

/// A word of a step's command line.
package enum StepWord: Hashable, Sendable {
  /// A flag or a value.
  case text(String)
  /// A file or folder in the step's own folder.
  case own(String)
  /// A file or folder of another step, which this one needs.
  case output(step: String, path: String)
  /// A path outside, after a prefix such as `folder:`; where it is does not change what the step does.
  case place(prefix: String, path: String)
}

/// One call of the tool in an experiment: a training, an evaluation or a measurement.
package struct ExperimentStep: Hashable, Sendable {
  /// A kind of step: the command of the tool that it calls.
  package enum Kind: String, CaseIterable, Sendable {
    /// `namid train`.
    case train
    /// `namid train-estimators`.
    case estimators
    /// `namid evaluate`.
    case evaluate
    /// `namid transfer`.
    case transfer
    /// `namid mi poc`.
    case pairings = "poc"
    /// `namid mi compare`.
    case comparison = "compare"

    /// True where the step leaves a run with checkpoints; the other steps leave figures.
    package var isTraining: Bool { self == .train || self == .estimators }

    /// The name of the file or folder that the step leaves in its own folder.
    package var product: String {
      switch self {
      case .train, .estimators: "run"
      case .evaluate, .transfer: "result.json"
      case .pairings: "poc/poc.json"
      case .comparison: "compare/compare.json"
      }
    }
  }

  /// The name of its folder: kind, contents and the hash of all that decides what it does.
  package let id: String
  /// The kind of the step.
  package let kind: Kind
  /// A description of the step for people.
  package let title: String
  /// The command line after `namid`, without what only says how to compute.
  package let words: [StepWord]
  /// The steps that must be finished before.
  package let needs: [String]
  /// The step whose figures are this one's, too, where the run's best epoch is its last.
  package let twin: String?
  /// The amount of work; nil where it is not known.
  package let workload: Workload?

  /// A step; its identifier is made of a few words and the hash of what decides what it does.
  ///
  /// - Parameters:
  ///   - kind: The kind of the step.
  ///   - title: A description of the step for people.
  ///   - label: A few words for the name of its folder.
  ///   - words: The command line after `namid`.
  ///   - data: A digest of the data set that it reads; nil where a step that it needs says so.
  ///   - twin: The step of the last checkpoint, for one of the best.
  ///   - workload: The amount of work; nil where it is not known.
  /// - Throws: An error when the words cannot be written as text.
  package init(
    _ kind: Kind, title: String, label: String, words: [StepWord], data: String? = nil,
    twin: String? = nil, workload: Workload? = nil
  ) throws {
    self.kind = kind
    self.title = title
    self.words = words
    self.twin = twin
    self.workload = workload
    var needs: [String] = []
    for case .output(let step, _) in words where !needs.contains(step) { needs.append(step) }
    if let twin { needs.append(twin) }
    self.needs = needs
    let hash = try StepHash(kind: kind, words: words, data: data).text()
    id = "\(kind.rawValue)-\(Self.slug(label))-\(hash)"
  }

  /// A step for tests of what orders and runs steps.
  init(id: String, needs: [String] = [], kind: Kind = .evaluate) {
    self.id = id
    self.kind = kind
    title = id
    words = [.text(id)]
    self.needs = needs
    twin = nil
    workload = nil
  }

  /// The command line after `namid`, with paths relative to the folder of the whole experiment.
  package var arguments: [String] {
    words.map { word in
      switch word {
      case .text(let text): text
      case .own(let path): "\(Self.folderName)/\(id)/\(path)"
      case .output(let step, let path): "\(Self.folderName)/\(step)/\(path)"
      case .place(let prefix, let path): prefix + path
      }
    }
  }

  /// The command line as a shell takes it.
  package var command: String { ShellWords.line(["namid"] + arguments) }

  /// The folder of all steps in that of the whole experiment.
  package static let folderName = "steps"

  /// Lower-case letters, digits and dashes.
  private static func slug(_ text: String) -> String {
    let words = text.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    return String(words.joined(separator: "-").prefix(48))
  }
}
