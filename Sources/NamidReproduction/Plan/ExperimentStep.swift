/// One step of an experiment: a training, an evaluation or a measurement.
package struct ExperimentStep: Sendable {
  /// The name of its folder: kind, contents and the hash of all that decides what it does.
  package let id: String
  /// The step as a value.
  package let request: StepRequest
  /// A description of the step for people.
  package let title: String
  /// The command line that does the same, with paths relative to the folder of the whole experiment.
  package let command: String
  /// The steps that must be finished before.
  package let needs: [String]
  /// The step whose figures are this one's, too, where the run's best epoch is its last.
  package let twin: String?
  /// The amount of work; nil where it is not known.
  package let workload: Workload?

  /// The kind of the step.
  package var kind: StepRequest.Kind { request.kind }
}

extension ExperimentStep {
  /// A step; its identifier is made of a few words and the hash of what decides what it does.
  ///
  /// - Parameters:
  ///   - request: The step as a value.
  ///   - title: A description of the step for people.
  ///   - label: A few words for the name of its folder.
  ///   - data: A digest of the data set that it reads; nil where a step that it needs says so.
  ///   - twin: The step of the last checkpoint, for one of the best.
  ///   - workload: The amount of work; nil where it is not known.
  ///   - command: The command line that does the same and leaves its product in the folder given.
  /// - Throws: An error when the request cannot be written as text.
  init(
    _ request: StepRequest, title: String, label: String, data: String? = nil, twin: String? = nil,
    workload: Workload? = nil, command: (_ folder: String) throws -> String
  ) throws {
    var needs: [String] = []
    for case let step? in request.runs.map(Self.id(ofRun:)) + [twin] where !needs.contains(step) {
      needs.append(step)
    }
    let id = "\(request.kind.rawValue)-\(Self.slug(label))-\(try request.hash(data: data))"
    self.init(
      id: id, request: request, title: title, command: try command("\(Self.folderName)/\(id)"),
      needs: needs, twin: twin, workload: workload)
  }

  /// The folder of all steps in that of the whole experiment.
  package static let folderName = "steps"

  /// The folder of the run that a training leaves, relative to that of the whole experiment.
  var run: String { "\(Self.folderName)/\(id)/run" }

  /// The step that has left a run; nil where the path is that of no step's run.
  static func id(ofRun path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 3 && parts[0] == folderName && parts[2] == "run" ? String(parts[1]) : nil
  }

  /// Lower-case letters, digits and dashes.
  private static func slug(_ text: String) -> String {
    let words = text.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    return String(words.joined(separator: "-").prefix(48))
  }
}
