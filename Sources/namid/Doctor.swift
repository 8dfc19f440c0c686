import ArgumentParser
import Datasets
import Foundation
import Records
import Torch

/// `namid doctor`.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what this machine has, and the remedy for each thing it lacks.")
  @OptionGroup var data: DataOptions

  func run() throws {
    let torch = TorchEnvironment.read()
    var problems: [String] = []
    let loaded = torch.loadedVersion ?? "unknown"
    print("libtorch   \(loaded) (shim compiled for \(torch.compiledVersion)), \(origin)")
    if !torch.compiledVersion.hasPrefix(loaded), torch.loadedVersion != nil {
      problems.append("the shim was compiled for another libtorch: delete .build and start again")
    }
    print("threads    \(torch.threads) of \(ProcessInfo.processInfo.activeProcessorCount) cores")
    print("processor  \(torch.cpuCapability); bfloat16: \(bfloat16)")
    print("cuda       \(torch.cudaDevices == 0 ? "no device" : "\(torch.cudaDevices) device(s)")")
    print("charts     \(chartLibrary(&problems))")
    print("data       \(data.directory.path)")
    for source in Datasets.all {
      let info = try Datasets.info(source.name, in: data.directory)
      let place = info.location.map { "\($0.folder.path) (\($0.layout))" }
      print("  \(info.name): \(place ?? "not here")")
      if place == nil {
        problems.append("\(info.title) is not here: namid data fetch \(info.name)")
      }
    }
    print(problems.isEmpty ? "no problems" : "remedies:")
    for problem in problems { print("  - \(problem)") }
  }

  private var origin: String {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["LIBTORCH"] { return "LIBTORCH=\(folder)" }
    return environment["NAMID_ROOT"].map { "\($0)/.deps/libtorch" } ?? "linked at build time"
  }

  private var bfloat16: String {
    guard let flags = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
      return "unknown"
    }
    if flags.contains("amx_bf16") { return "matrix instructions" }
    if flags.contains("avx512_bf16") { return "vector instructions" }
    return "emulated (train with training.precision=float32)"
  }

  private func chartLibrary(_ problems: inout [String]) -> String {
    let path = ProcessInfo.processInfo.environment["NAMID_CHART_JS"] ?? ""
    if FileManager.default.isReadableFile(atPath: path) { return path }
    problems.append("reports will have tables but no charts: start through ./namid")
    return "not here"
  }
}
