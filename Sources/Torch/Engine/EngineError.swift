import CTorch

/// An error that libtorch reported.
public struct EngineError: Error, CustomStringConvertible, Sendable {
  /// What kind of error it was.
  public enum Kind: Sendable {
    /// Wrong arguments or an unsupported combination.
    case invalidCall
    /// Memory ran out, on the host or on a device.
    case outOfMemory
    /// Another C++ exception.
    case other
  }

  /// What kind of error it was.
  public let kind: Kind
  /// The operator or function, with the shapes of its tensors.
  public let call: String
  /// libtorch's own text.
  public let message: String

  /// One text with all of it.
  public var description: String { "\(call): \(message)" }

  /// The error of the last failing call on this thread.
  init(status: ct_status, call: String) {
    kind =
      switch status {
      case CT_ERROR_TORCH: .invalidCall
      case CT_ERROR_OUT_OF_MEMORY: .outOfMemory
      default: .other
      }
    self.call = call
    message = String(cString: ct_last_error())
  }
}

/// Traps with libtorch's message when a call failed that only a programming error can make fail.
@inline(__always)
func check(_ status: ct_status, _ call: @autoclosure () -> String) {
  guard status != CT_OK else { return }
  fatalError(EngineError(status: status, call: call()).description)
}
