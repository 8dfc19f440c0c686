import ArgumentParser
import Foundation
import NamidTorch

/// `namid doctor`.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what this machine has, and the remedy for each thing it lacks.")
  @OptionGroup var output: FigureOutput
  @OptionGroup var data: DataOptions

  func run() throws {
    try output.check()
    let report = try MachineReport(data: data.directory)
    try output.write(report, asText: report.text)
  }
}

extension MachineReport {
  /// The report for people: a line per thing, and the remedies.
  var text: String {
    var lines = [
      "libtorch   \(libtorch.loaded ?? "unknown") (shim compiled for \(libtorch.compiled)), "
        + (libtorch.file ?? "loaded from an unknown place"),
      "threads    \(threads) of \(cores) cores",
      "processor  \(capability); bfloat16: \(bfloat16)",
      "memory     \(byteText(Double(memory)))",
      "cuda       \(cudaText)",
    ]
    lines += devices.map { "  \(Self.text(of: $0))" }
    lines.append("charts     \(charts ?? "not here")")
    lines.append("data       \(dataFolder)")
    for set in datasets { lines.append("  \(set.name): \(set.place ?? "not here")") }
    lines.append(remedies.isEmpty ? "no problems" : "remedies:")
    lines += remedies.map { "  - \($0)" }
    return lines.map { $0 + "\n" }.joined()
  }

  private var cudaText: String {
    let driver = driver.map { "driver \($0)" } ?? "no driver"
    if devices.isEmpty {
      return
        "no device (\(driver), \(libtorch.hasCUDA ? "a CUDA build" : "a CPU build") of libtorch)"
    }
    return "\(devices.count) device(s); \(accelerator ?? "libCTorchCUDA.so is not here")"
  }

  private static func text(of device: DeviceRecord) -> String {
    guard let name = device.title, let memory = device.memory else { return device.name }
    let free = device.free.map { " (\(byteText(Double($0))) free)" } ?? ""
    let versions = [
      ("driver", device.driver), ("CUDA runtime", device.runtime), ("cudnn", device.cudnn),
    ]
    .compactMap { name, version in version.map { "\(name) \($0.isEmpty ? "not here" : $0)" } }
    return "\(device.name): \(name), compute capability \(device.capability ?? "unknown"); "
      + "\(byteText(Double(memory)))\(free); " + versions.joined(separator: ", ")
  }
}
