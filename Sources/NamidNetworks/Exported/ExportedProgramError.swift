import NamidFiles

/// An exported program that cannot be read, or whose graph this library does not run.
public struct ExportedProgramError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The archive's path; empty until it is known.
  public internal(set) var file = ""
  /// The node of the graph, where the fault lies in one.
  public internal(set) var node: String?
  /// The fault, in words.
  public let problem: String
  /// The step that helps, where one is known.
  public internal(set) var advice: String?

  /// A fault that is told with the file's name once that is known.
  init(_ problem: String, node: String? = nil, advice: String? = nil) {
    self.problem = problem
    self.node = node
    self.advice = advice
  }

  /// One line: the file, the node, the fault and what to do.
  public var description: String {
    let place = node.map { "its node \(quotedForPeople($0)): " } ?? ""
    let step = advice.map { "; \($0)" } ?? ""
    return "\(file) cannot be run as an exported program: \(place)\(problem)\(step)"
      .replacing("\n", with: " ")
  }

  /// A copy of this fault that names a node.
  func at(_ name: String) -> ExportedProgramError {
    var copy = self
    copy.node = copy.node ?? name
    return copy
  }

  /// A copy of this fault that names a file.
  func of(_ path: String) -> ExportedProgramError {
    var copy = self
    copy.file = path
    return copy
  }
}

extension ExportedProgramError {
  /// The advice for a graph that needs no dropout, no batch statistics and no random numbers.
  static let inEvaluationMode = "call model.eval() before torch.export.export"
  /// The advice for a graph whose in-place operators are in the way.
  static let withoutInPlace = "save torch.export.export(…).run_decompositions({}) instead"
}
