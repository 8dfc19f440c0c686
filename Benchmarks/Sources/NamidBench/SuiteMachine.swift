import Foundation
import Namid

/// The machine on which a suite was run, and the versions of its software.
struct SuiteMachine: Equatable {
  var processor: String
  var cores: Int
  var memoryBytes: Double
  var system: String
  var threads: Int
  /// The mean number of busy processes before the suite began.
  var load: Double?
  /// The version of libtorch that this project has loaded.
  var libtorch: String
  var capability: String
  /// The commit of the repository, with `-dirty` for changed files; nil where it is not known.
  var commit: String?
  var date: String

  /// True where other programs were running when the suite began, so that the figures are not worth much.
  var isBusy: Bool { (load ?? 0) > 0.5 }

  /// The machine as JSON.
  var json: JSONValue {
    [
      "processor": .string(processor), "cores": .int(cores), "memory_bytes": .double(memoryBytes),
      "system": .string(system), "threads": .int(threads), "load": load.map { .double($0) } ?? nil,
      "libtorch": .string(libtorch), "cpu_capability": .string(capability),
      "commit": commit.map { .string($0) } ?? nil, "date": .string(date),
    ]
  }

  /// The machine in two lines.
  var text: String {
    let memory = String(format: "%.0f GB", memoryBytes / 1e9)
    let load = load.map { String(format: "%.2f", $0) } ?? "unknown"
    return """
      \(processor), \(cores) cores, \(memory), \(system); \(threads) threads, load before: \(load)
      \(date), commit \(commit ?? "unknown"), libtorch \(libtorch) (\(capability))
      """
  }
}

extension SuiteMachine {
  /// Reads this machine's facts and load; `repository` is the clone whose commit is named.
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
