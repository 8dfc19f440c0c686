import CTorch

/// The name, size and versions of a CUDA device.
public struct DeviceFacts: Sendable, Equatable {
  /// The maker's name.
  public let name: String
  /// The version of the driver.
  public let driver: String
  /// The version of the CUDA runtime that is loaded.
  public let runtime: String
  /// The version of cudnn that is loaded; empty where there is none.
  public let cudnn: String
  /// The compute capability, such as `9.0`.
  public let capability: String
  /// Multiprocessors.
  public let processors: Int
  /// Bytes of memory.
  public let memory: Int

  /// Asks a device.
  ///
  /// - Throws: `EngineError` where there is no such device, or no library that can ask it.
  public init(of device: Device) throws(EngineError) {
    var raw = ct_device_facts()
    try ask(device, "DeviceFacts(of: \(device))") { ct_device_facts_read($0, &raw) }
    name = text(of: raw.name)
    driver = text(of: raw.driver)
    runtime = text(of: raw.runtime)
    cudnn = text(of: raw.dnn)
    capability = "\(raw.major).\(raw.minor)"
    processors = Int(raw.processors)
    memory = Int(raw.memory_bytes)
  }
}

/// The use of a CUDA device's memory, in bytes.
public struct DeviceMemory: Sendable, Equatable {
  /// Free bytes on the device.
  public let free: Int
  /// All bytes of the device.
  public let total: Int
  /// Bytes in tensors of this process.
  public let allocated: Int
  /// Bytes held by libtorch's allocator for this process.
  public let reserved: Int
  /// The most that `allocated` has been.
  public let peak: Int

  /// Asks a device.
  ///
  /// - Throws: `EngineError` where there is no such device, or no library that can ask it.
  public init(of device: Device) throws(EngineError) {
    var raw = ct_device_memory()
    try ask(device, "DeviceMemory(of: \(device))") { ct_device_memory_read($0, &raw) }
    free = Int(raw.free_bytes)
    total = Int(raw.total_bytes)
    allocated = Int(raw.allocated_bytes)
    reserved = Int(raw.reserved_bytes)
    peak = Int(raw.peak_bytes)
  }

  /// Lets `peak` begin anew.
  public static func resetPeak(of device: Device) throws(EngineError) {
    try ask(device, "DeviceMemory.resetPeak(of: \(device))", ct_device_reset_peak_memory)
  }

  /// Gives back what libtorch's allocator holds and no tensor uses.
  public static func releaseCached(of device: Device) throws(EngineError) {
    try ask(device, "DeviceMemory.releaseCached(of: \(device))", ct_device_release_cached_memory)
  }
}

/// Asks a CUDA device by its index; `call` is what an error names.
private func ask(
  _ device: Device, _ call: String, _ body: (Int16) -> ct_status
) throws(EngineError) {
  guard device.kind == .cuda else {
    throw EngineError(kind: .invalidCall, call: call, message: "only a CUDA device can be asked")
  }
  try require(body(max(device.index, 0)), call)
}

/// The text in a C array of characters, up to its NUL.
private func text<Characters>(of array: Characters) -> String {
  withUnsafeBytes(of: array) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
