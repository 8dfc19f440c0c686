import Foundation
import NamidTorch

/// The fake accelerator of `Tests/FakeAccelerator`, where the tests run on it: it counts what a real one would do.
///
/// `CTORCH_ACCELERATOR` names its library; without it the tests that need it are left out.
public struct FakeAccelerator: Sendable {
  /// The names of the counts.
  public enum Field: String, Sendable {
    /// Operators that do work on the device.
    case kernels
    /// Of these, copies from one element type to another.
    case casts
    /// Copies from the host.
    case uploads
    /// Copies to the host, single numbers included.
    case downloads
    /// Operators whose result's shape depends on values; the host waits for them.
    case questions = "data_dependent"
    /// Explicit waits.
    case waits
  }

  private typealias Count =
    @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>?) -> Int64
  private typealias Action = @convention(c) () -> Void
  private typealias Limit = @convention(c) (Int64) -> Void

  private let countFunction: Count
  private let resetFunction: Action
  private let limitFunction: Limit

  /// The accelerator, nil where the tests run without it.
  public static let loaded: FakeAccelerator? = FakeAccelerator()

  private init?() {
    // Opens the library, if there is one.
    guard TorchEnvironment.read().cudaDevices > 0,
      let count = dlsym(nil, "fake_accelerator_count"),
      let reset = dlsym(nil, "fake_accelerator_reset"),
      let limit = dlsym(nil, "fake_accelerator_set_limit")
    else { return nil }
    countFunction = unsafeBitCast(count, to: Count.self)
    resetFunction = unsafeBitCast(reset, to: Action.self)
    limitFunction = unsafeBitCast(limit, to: Limit.self)
  }

  /// A sum since the last reset, of one operator (without `aten::` and overload) or of all.
  public func count(_ field: Field, of name: String? = nil) -> Int {
    Int(countFunction(field.rawValue, name))
  }

  /// Begins to count anew.
  public func reset() { resetFunction() }

  /// Runs `body` with a device that has so many bytes.
  public func withMemory<Result>(of bytes: Int, _ body: () throws -> Result) rethrows -> Result {
    limitFunction(Int64(bytes))
    defer { limitFunction(0) }
    return try body()
  }
}
