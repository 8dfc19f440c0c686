import CTorch

/// What libtorch runs on.
public struct TorchEnvironment: Sendable {
  /// The version the shim was compiled against.
  public let compiledVersion: String
  /// The version of the library that is loaded; nil where it does not say.
  public let loadedVersion: String?
  /// The vector instructions that libtorch's own kernels use (`AVX512`, …).
  public let cpuCapability: String
  /// Threads within one operator.
  public let threads: Int
  /// CUDA devices that can be used.
  public let cudaDevices: Int

  /// Asks the loaded library.
  public static func read() -> TorchEnvironment {
    var raw = ct_environment()
    check(ct_environment_read(&raw), "TorchEnvironment")
    let parts = [56, 48, 40].map { (raw.loaded_version >> $0) & 0xff }
    return TorchEnvironment(
      compiledVersion: String(cString: raw.torch_version),
      loadedVersion: raw.loaded_version == 0
        ? nil : parts.map(String.init).joined(separator: "."),
      cpuCapability: String(cString: raw.cpu_capability), threads: Int(raw.threads),
      cudaDevices: Int(raw.cuda_devices))
  }

  /// Sets the number of threads within one operator.
  public static func setThreads(_ count: Int) {
    check(ct_set_threads(Int32(clamping: count)), "setThreads(\(count))")
  }

  /// Asks for deterministic kernels only.
  public static func setDeterministic(_ value: Bool) {
    check(ct_set_deterministic(value), "setDeterministic")
  }

  /// Waits until a device has done all its work.
  public static func synchronize(_ device: Device) {
    check(ct_synchronize(device.kind.rawValue, device.index), "synchronize(\(device))")
  }
}
