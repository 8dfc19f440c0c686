import ArgumentParser
import Foundation
import NamidData
import NamidSettings
import NamidTerminal
import NamidTorch

/// The folder of data sets.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder that holds data sets.", discussion: "Default: $NAMID_DATA, else a cache folder.",
      valueName: "folder"))
  var dataDir: String?

  var directory: URL {
    if let dataDir { return URL(filePath: dataDir) }
    return DataDirectory.standard()
  }
}

/// The device that networks compute on.
struct DeviceOptions: ParsableArguments {
  @Option(help: "Where to compute: cpu, cuda or cuda:N.")
  var device: Device = .cpu

  @Option(help: .init("Threads within an operator; all cores by default.", valueName: "n"))
  var threads: Int?

  @Flag(
    help: ArgumentHelp(
      "Deterministic kernels only: the same bits again on the same card, driver and torch.",
      discussion: "Costs time on CUDA; on the CPU the number of threads decides."))
  var deterministic = false

  /// Sets the threads and the kernels, and refuses a device that is not there.
  func prepare() throws -> Device {
    if deterministic { TorchEnvironment.setDeterministic(true) }
    if let threads {
      guard threads >= 1 else { throw ValidationError("--threads must be at least 1") }
      TorchEnvironment.setThreads(threads)
    }
    let devices = TorchEnvironment.read().cudaDevices
    guard device.kind == .cpu || Int(device.index) < devices else {
      throw ValidationError(
        "\(device) is not here: libtorch sees \(devices) CUDA device(s); see `namid doctor`")
    }
    OutOfMemory.expect(on: device)
    return device
  }
}

extension Device: ExpressibleByArgument {
  /// Parses `cpu`, `cuda` or `cuda:N`.
  public init?(argument: String) { self.init(argument) }
}

extension Fraction: ExpressibleByArgument {
  /// Parses `8/255` or a decimal number.
  public init?(argument: String) { self.init(argument) }
}

/// Writes a line to standard error.
func note(_ line: String) { Terminal.writeError(line + "\n") }

/// The command line as it was written, for reports.
func commandLine() -> String {
  ShellWords.line(["namid"] + CommandLine.arguments.dropFirst())
}

/// Throws unless a file's name ends in one of some extensions, which tell the format to write.
func checkExtension(of file: String, among known: [String]) throws {
  guard !known.contains(URL(filePath: file).pathExtension) else { return }
  throw ValidationError("\(file) must end in .\(known.joined(separator: " or ."))")
}
