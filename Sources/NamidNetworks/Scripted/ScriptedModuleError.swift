import NamidFiles

/// A TorchScript archive that cannot be loaded, or must not be.
public struct ScriptedModuleError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The archive's path; empty until it is known.
  public internal(set) var file = ""
  /// The fault, in words.
  public let problem: String
  /// The step that helps, where one is known.
  public let advice: String?

  /// A fault that is told with the file's name once that is known.
  init(_ problem: String, advice: String? = nil) {
    self.problem = problem
    self.advice = advice
  }

  /// One line: the file, the fault and what to do.
  public var description: String {
    let step = advice.map { "; \($0)" } ?? ""
    return "\(file) cannot be run as TorchScript: \(problem)\(step)".replacing("\n", with: " ")
  }

  /// A copy of this fault that names a file.
  func of(_ path: String) -> ScriptedModuleError {
    var copy = self
    copy.file = path
    return copy
  }

  /// The advice for an archive that differs from what PyTorch writes.
  static let damaged = "make it again with torch.jit.save"
}
