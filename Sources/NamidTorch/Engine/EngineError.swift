import CTorch
import Synchronization

/// An error that libtorch reported.
public struct EngineError: Error, CustomStringConvertible, Sendable {
  /// A kind of error.
  public enum Kind: Sendable {
    /// Wrong arguments or an unsupported combination.
    case invalidCall
    /// Memory ran out, on the host or on a device.
    case outOfMemory
    /// The operator has no deterministic kernel on the device, and only such kernels are allowed.
    case nondeterministic
    /// The loaded libtorch has no operator of this name.
    case missingOperator
    /// Another C++ exception.
    case other
  }

  /// The kind of the error.
  public let kind: Kind
  /// The operator or function, with the shapes of its tensors.
  public let call: String
  /// libtorch's own text.
  public let message: String

  /// An error with its text.
  package init(kind: Kind, call: String, message: String) {
    self.kind = kind
    self.call = call
    self.message = message
  }

  /// One text with all of it.
  public var description: String { "\(call): \(message)" }

  /// True where the host's memory ran out, and not a device's.
  public var isAboutHostMemory: Bool {
    kind == .outOfMemory && (message.contains("DefaultCPUAllocator") || message == "out of memory")
  }
}

extension EngineError {
  /// The error of the last failing call on this thread.
  init(status: ct_status, call: String) {
    let message = String(cString: ct_last_error())
    let kind: Kind =
      switch status {
      case CT_ERROR_TORCH where message.contains("does not have a deterministic implementation"):
        .nondeterministic
      case CT_ERROR_TORCH: .invalidCall
      case CT_ERROR_OUT_OF_MEMORY: .outOfMemory
      default: .other
      }
    self.init(kind: kind, call: call, message: message)
  }

  private static let handler = Mutex<(@Sendable (EngineError) -> Void)?>(nil)

  /// Sets what is told of a failure that no caller can catch, before the process traps.
  ///
  /// Methods of `Tensor` do not throw: most of their failures are programming errors. But memory may run out in any of
  /// them. A program that has advice for its user writes it in `body` and ends the process there. Where `body`
  /// returns, the process traps with the error's text.
  public static func beforeTrap(_ body: (@Sendable (EngineError) -> Void)?) {
    handler.withLock { $0 = body }
  }

  fileprivate static func tell(_ error: EngineError) { handler.withLock(\.self)?(error) }
}

/// Ends the process for an error that nobody can catch; see `EngineError.beforeTrap`.
package func engineFailed(_ error: EngineError) -> Never {
  EngineError.tell(error)
  fatalError(error.description)
}

/// Throws libtorch's message when a call failed.
func require(_ status: ct_status, _ call: @autoclosure () -> String) throws(EngineError) {
  if status != CT_OK { throw EngineError(status: status, call: call()) }
}

/// Traps with libtorch's message when a call failed that only a programming error can make fail.
@inline(__always)
func check(_ status: ct_status, _ call: @autoclosure () -> String) {
  guard status != CT_OK else { return }
  engineFailed(EngineError(status: status, call: call()))
}
