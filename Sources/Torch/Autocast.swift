import CTorch

/// In which element type the heavy operators of a network compute.
public enum Precision: String, CaseIterable, Codable, Sendable {
  /// As the tensors are; for measuring.
  case float32
  /// Convolutions and matrix products in bfloat16, with float32 weights kept; for training.
  case bfloat16

  /// The precision that `withPrecision` set for a device on this thread.
  public static func inForce(on device: Device) -> Precision {
    var state = ct_autocast()
    check(ct_autocast_read(device.kind.rawValue, &state), "Precision")
    return state.enabled ? .bfloat16 : .float32
  }
}

/// Runs `body` so that convolutions and matrix products compute in `precision`; restores the mode afterwards.
///
/// Low-precision copies of the weights are kept until the outermost scope ends.
@discardableResult
public func withPrecision<Result, Failure: Error>(
  _ precision: Precision, on device: Device = .cpu, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  let wanted = ct_autocast(
    enabled: precision == .bfloat16, dtype: DType.bfloat16.rawValue)
  var previous = ct_autocast()
  check(ct_autocast_exchange(device.kind.rawValue, wanted, &previous), "withPrecision")
  defer {
    var ignored = ct_autocast()
    check(ct_autocast_exchange(device.kind.rawValue, previous, &ignored), "withPrecision")
    if !previous.enabled { check(ct_autocast_clear_cache(), "withPrecision") }
  }
  return try body()
}
