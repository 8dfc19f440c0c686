import Foundation
import NamidFiles

/// Where and with what a suite was run.
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

  /// Whether other programs were running when the suite began, so that the figures are not worth much.
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
