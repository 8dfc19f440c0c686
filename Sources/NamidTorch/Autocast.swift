import CTorch

/// The element type in which the heavy operators of a network compute.
public enum Precision: String, CaseIterable, Codable, Sendable {
  /// The tensors' own types; for measuring.
  case float32
  /// Convolutions and matrix products in bfloat16, with float32 weights kept; for training.
  case bfloat16
  /// The tensors' own types, but CUDA's products of float32 round their factors to 10 bits of mantissa (TF32); for
  /// training. On other devices this is float32.
  case tf32

  /// The precision that `withPrecision` set for a device on this thread.
  public static func inForce(on device: Device) -> Precision {
    var state = ct_autocast()
    check(ct_autocast_read(device.kind.rawValue, &state), "Precision")
    return state.enabled ? .bfloat16 : .float32
  }
}

/// Runs `body` so that convolutions and matrix products compute in `precision`; restores the mode afterwards.
///
/// A gradient's products of float32 compute in the precision in which `backward()` or `grad` is called. Low-precision
/// copies of the weights are kept until the outermost scope ends.
@discardableResult
public func withPrecision<Result, Failure: Error>(
  _ precision: Precision, on device: Device = .cpu, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  let wanted = ct_autocast(
    enabled: precision == .bfloat16, dtype: DType.bfloat16.rawValue)
  var previous = ct_autocast()
  var allowedTF32 = false
  check(ct_autocast_exchange(device.kind.rawValue, wanted, &previous), "withPrecision")
  check(ct_tf32_exchange(precision == .tf32, &allowedTF32), "withPrecision")
  defer {
    var ignored = ct_autocast()
    var ignoredTF32 = false
    check(ct_autocast_exchange(device.kind.rawValue, previous, &ignored), "withPrecision")
    check(ct_tf32_exchange(allowedTF32, &ignoredTF32), "withPrecision")
    if !previous.enabled { check(ct_autocast_clear_cache(), "withPrecision") }
  }
  return try body()
}
