import CTorch

/// The libraries and hardware that libtorch runs with.
public struct TorchEnvironment: Sendable {
  /// The version the shim was compiled against.
  public let compiledVersion: String
  /// The version of the library that is loaded; nil where it does not say.
  public let loadedVersion: String?
  /// The file of the library that is loaded (`libtorch_cpu`); nil where the system does not say.
  public let loadedFile: String?
  /// The library that serves what operators do not offer of CUDA devices; nil where there is none.
  public let acceleratorFile: String?
  /// The vector instructions that libtorch's own kernels use (`AVX512`, …).
  public let cpuCapability: String
  /// Threads within one operator.
  public let threads: Int
  /// CUDA devices that can be used.
  public let cudaDevices: Int
  /// True where only deterministic kernels are allowed.
  public let isDeterministic: Bool
  /// True where cudnn tries several kernels for each new shape.
  public let triesKernels: Bool
  /// True where CUDA's float32 products may compute in TF32.
  public let allowsTF32: Bool

  /// Asks the loaded library.
  public static func read() -> TorchEnvironment {
    var raw = ct_environment()
    check(ct_environment_read(&raw), "TorchEnvironment")
    let parts = [56, 48, 40].map { (raw.loaded_version >> $0) & 0xff }
    return TorchEnvironment(
      compiledVersion: String(cString: raw.torch_version),
      loadedVersion: raw.loaded_version == 0
        ? nil : parts.map(String.init).joined(separator: "."),
      loadedFile: text(raw.loaded_file), acceleratorFile: text(ct_accelerator_file()),
      cpuCapability: String(cString: raw.cpu_capability), threads: Int(raw.threads),
      cudaDevices: Int(raw.cuda_devices), isDeterministic: raw.deterministic,
      triesKernels: raw.benchmark, allowsTF32: raw.tf32)
  }

  private static func text(_ raw: UnsafePointer<CChar>) -> String? {
    let text = String(cString: raw)
    return text.isEmpty ? nil : text
  }

  /// Sets the number of threads within one operator.
  public static func setThreads(_ count: Int) {
    check(ct_set_threads(Int32(clamping: count)), "setThreads(\(count))")
  }

  /// Asks for deterministic kernels only: the same device, driver and libtorch then compute the same bits.
  ///
  /// Call it before anything is computed on a CUDA device. An operator without such a kernel fails from then on, with
  /// `EngineError.Kind.nondeterministic`.
  public static func setDeterministic(_ value: Bool) {
    check(ct_set_deterministic(value), "setDeterministic")
  }

  /// Waits until a device has done all its work.
  public static func synchronize(_ device: Device) {
    check(ct_synchronize(device.kind.rawValue, device.index), "synchronize(\(device))")
  }
}

/// Runs `body` while cudnn tries several kernels per new shape and keeps the fastest; restores the mode afterwards.
///
/// This saves time where the same shapes are used many times. The choice depends on measured times, and the last digits
/// of results depend on the choice; so nothing is tried while only deterministic kernels are allowed.
@discardableResult
public func withBenchmark<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  var previous = false
  let isWanted = !TorchEnvironment.read().isDeterministic
  check(ct_benchmark_exchange(isWanted, &previous), "withBenchmark")
  defer {
    var ignored = false
    check(ct_benchmark_exchange(previous, &ignored), "withBenchmark")
  }
  return try body()
}
