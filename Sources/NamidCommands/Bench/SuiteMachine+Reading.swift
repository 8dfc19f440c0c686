import Foundation
import NamidTorch

extension SuiteMachine {
  /// Asks the machine.
  ///
  /// - Parameter repository: The clone whose commit is named.
  /// - Returns: What it is, and how busy.
  static func read(repository: URL?) -> SuiteMachine {
    let torch = TorchEnvironment.read()
    let process = ProcessInfo.processInfo
    var loads = [0.0]
    return SuiteMachine(
      processor: processorName ?? "unknown processor", cores: process.activeProcessorCount,
      memoryBytes: Double(process.physicalMemory), system: process.operatingSystemVersionString,
      threads: torch.threads, load: getloadavg(&loads, 1) == 1 ? loads[0] : nil,
      libtorch: torch.loadedVersion ?? torch.compiledVersion, capability: torch.cpuCapability,
      commit: repository.flatMap(commit), date: Date().formatted(.iso8601))
  }

  private static var processorName: String? {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
      return nil
    }
    return text.split(separator: "\n").first { $0.hasPrefix("model name") }
      .flatMap { $0.split(separator: ":").last }
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static func commit(of repository: URL) -> String? {
    let text = try? ShortCommand.output(
      "git", ["-C", repository.path, "describe", "--always", "--dirty", "--abbrev=12"])
    return text.flatMap { $0.isEmpty ? nil : $0 }
  }
}
