import Foundation
import NamidData
import NamidTorch

/// The parts of this machine, and a remedy for each that is missing.
struct MachineReport: Encodable {
  /// The libtorch that is really loaded.
  struct Library: Encodable {
    /// Its version; nil where it does not say.
    var loaded: String?
    /// The version that the shim was compiled for.
    var compiled: String
    /// Its file.
    var file: String?
    /// True where its CUDA half lies beside it.
    var hasCUDA: Bool

    enum CodingKeys: String, CodingKey {
      case loaded, compiled, file
      case hasCUDA = "has_cuda"
    }
  }

  /// A CUDA device; all but the name is nil where no library can ask it.
  struct DeviceRecord: Encodable {
    var name: String
    var title: String?
    var capability: String?
    var memory: Int?
    var free: Int?
    var driver: String?
    var runtime: String?
    var cudnn: String?
  }

  /// A data set and where it lies.
  struct DatasetRecord: Encodable {
    var name: String
    var place: String?
  }

  let libtorch: Library
  let threads: Int
  let cores: Int
  let capability: String
  let bfloat16: String
  let memory: UInt64
  /// The version of NVIDIA's driver; nil where there is none.
  let driver: String?
  /// The library that serves what operators do not offer of CUDA devices.
  let accelerator: String?
  private(set) var devices: [DeviceRecord] = []
  let charts: String?
  let dataFolder: String
  private(set) var datasets: [DatasetRecord] = []
  /// The remedies, one sentence each.
  private(set) var remedies: [String] = []

  enum CodingKeys: String, CodingKey {
    case libtorch, threads, cores, capability, bfloat16, memory, driver, accelerator, devices
    case charts, datasets, remedies
    case dataFolder = "data_folder"
  }

  /// Looks at the machine.
  init(data: URL) throws {
    let torch = TorchEnvironment.read()
    let folder = torch.loadedFile.map { URL(filePath: $0).deletingLastPathComponent() }
    let hasCUDA = folder.map {
      FileManager.default.fileExists(atPath: $0.appending(path: "libtorch_cuda.so").path)
    }
    libtorch = Library(
      loaded: torch.loadedVersion, compiled: torch.compiledVersion, file: torch.loadedFile,
      hasCUDA: hasCUDA ?? false)
    threads = torch.threads
    cores = ProcessInfo.processInfo.activeProcessorCount
    capability = torch.cpuCapability
    bfloat16 = Self.bfloat16
    memory = ProcessInfo.processInfo.physicalMemory
    driver = Self.driver
    accelerator = torch.acceleratorFile
    let chart = ProcessInfo.processInfo.environment["NAMID_CHART_JS"] ?? ""
    charts = FileManager.default.isReadableFile(atPath: chart) ? chart : nil
    dataFolder = data.path
    devices = (0..<torch.cudaDevices).map { Self.record(of: .cuda($0)) }
    remedies = libraryRemedies + deviceRemedies
    if charts == nil {
      remedies.append("reports will have tables but no charts: start through ./namid")
    }
    for source in Parts.catalog.datasets {
      let place = source.locate(in: data)?.description
      datasets.append(DatasetRecord(name: source.name, place: place))
      if place == nil {
        remedies.append("\(source.title) is not here: namid data fetch \(source.name)")
      }
    }
  }

  private var libraryRemedies: [String] {
    guard let loaded = libtorch.loaded, !libtorch.compiled.hasPrefix(loaded) else { return [] }
    let path = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? ""
    return [
      "libtorch \(loaded) is loaded, and the shim was compiled for \(libtorch.compiled): build it anew with "
        + "LIBTORCH=FOLDER (delete .build, or Engine/build.sh)"
        + (path.isEmpty ? "" : ", or unset LD_LIBRARY_PATH (\(path))")
    ]
  }

  private var deviceRemedies: [String] {
    if !devices.isEmpty {
      return accelerator == nil
        ? [
          "CUDA graphs need libCTorchCUDA.so beside libCTorch.so: Engine/build.sh makes it where CUDA's headers are "
            + "(see Docs/Engine.md)"
        ] : []
    }
    switch (driver, libtorch.hasCUDA) {
    case (nil, false): return []
    case (let driver?, false):
      return [
        "NVIDIA's driver \(driver) is here, but this libtorch is a CPU build: set LIBTORCH to the folder of a CUDA "
          + "build and build anew (see Docs/Engine.md)"
      ]
    case (nil, true):
      return [
        "this libtorch is a CUDA build, and NVIDIA's driver is not here: install it, or work with --device cpu"
      ]
    case (let driver?, true):
      return [
        "libtorch sees no device with driver \(driver): it may be too old for this libtorch, or CUDA_VISIBLE_DEVICES "
          + "hides all devices (nvidia-smi says which are there)"
      ]
    }
  }

  private static func record(of device: Device) -> DeviceRecord {
    let facts = try? DeviceFacts(of: device)
    return DeviceRecord(
      name: "\(device)", title: facts?.name, capability: facts?.capability,
      memory: facts?.memory, free: facts.flatMap { _ in try? DeviceMemory(of: device).free },
      driver: facts?.driver, runtime: facts?.runtime, cudnn: facts?.cudnn)
  }

  /// The line in which the kernel's module names its version, such as
  /// `NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  …`.
  private static var driver: String? {
    guard
      let text = try? String(contentsOfFile: "/proc/driver/nvidia/version", encoding: .utf8)
    else { return nil }
    let words = text.split(whereSeparator: \.isWhitespace)
    let version = words.first { $0.contains(".") && $0.allSatisfy { $0.isNumber || $0 == "." } }
    return version.map(String.init) ?? "of unknown version"
  }

  private static var bfloat16: String {
    guard let flags = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
      return "unknown"
    }
    if flags.contains("amx_bf16") { return "matrix instructions" }
    if flags.contains("avx512_bf16") { return "vector instructions" }
    return emulated
  }

  private static let emulated = "emulated (train with training.precision=float32)"

  /// Says so where a training in bfloat16 would be many times slower than one in float32.
  static func noteEmulation(_ precision: Precision, on device: Device, setting: String) {
    guard precision == .bfloat16, device.kind == .cpu, bfloat16 == emulated else { return }
    note(
      "this CPU has no bfloat16 instructions, so that training in it takes about 20 times as long as in "
        + "float32: --set \(setting)=float32")
  }
}
