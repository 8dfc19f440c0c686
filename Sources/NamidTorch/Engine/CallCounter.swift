import CTorch
import Synchronization

/// Counts of the calls into libtorch between two points.
public struct CallCounts: Equatable, Sendable {
  /// The number of calls of each operator from Swift.
  public fileprivate(set) var operators: [Operator: Int] = [:]
  /// The number of gradient computations, each one a walk back through a graph.
  public internal(set) var gradients = 0
  /// The number of tensors made from host memory: for work on a device each is a copy that waits for it.
  public internal(set) var uploads = 0
  /// The number of times that the host read elements of a tensor: each time it waits for all that the device has to do.
  public internal(set) var readBacks = 0

  /// The calls of one operator.
  public subscript(op: Operator) -> Int { operators[op, default: 0] }
  /// The calls of all operators.
  public var total: Int { operators.values.reduce(0, +) }
}

/// Counts operator calls and gradients between two points, for tests of how much work is done.
public enum CallCounter {
  private static let counts = Mutex<CallCounts?>(nil)
  /// True while calls are counted; otherwise calls do not take the lock.
  private static let isCounting = Atomic<Bool>(false)

  /// Runs `body` and returns what was called from Swift meanwhile.
  public static func count(_ body: () throws -> Void) rethrows -> CallCounts {
    counts.withLock { $0 = CallCounts() }
    isCounting.store(true, ordering: .relaxed)
    defer {
      isCounting.store(false, ordering: .relaxed)
      counts.withLock { $0 = nil }
    }
    try body()
    return counts.withLock { $0 ?? CallCounts() }
  }

  static func note(_ op: Operator) {
    guard isCounting.load(ordering: .relaxed) else { return }
    counts.withLock { $0?.operators[op, default: 0] += 1 }
    // The size of its result is an answer, too.
    if op == .nonzero { note(\.readBacks) }
  }

  static func note(_ event: WritableKeyPath<CallCounts, Int>) {
    guard isCounting.load(ordering: .relaxed) else { return }
    counts.withLock { $0?[keyPath: event] += 1 }
  }
}

/// The memory that libtorch's allocators handed out between two points.
public struct MemoryUse: Equatable, Sendable {
  /// The number of blocks allocated.
  public let allocations: Int
  /// Bytes allocated and not freed since the beginning; negative when more was freed.
  public let liveBytes: Int
  /// The most that `liveBytes` has been.
  public let peakBytes: Int

  /// Runs `body` and returns what was allocated for this thread meanwhile.
  ///
  /// Blocks from before that are freed meanwhile are not noticed.
  public static func measure(_ body: () throws -> Void) rethrows -> MemoryUse {
    check(ct_memory_watch_begin(0), "MemoryUse")
    var sums = ct_memory()
    do {
      defer { check(ct_memory_watch_end(&sums), "MemoryUse") }
      try body()
    }
    return MemoryUse(
      allocations: Int(sums.allocations), liveBytes: Int(sums.live_bytes),
      peakBytes: Int(sums.peak_bytes))
  }
}

/// Runs `body` so that operators which would need more than some bytes of the host's memory at a time fail, before they
/// write to any of it: for calls whose sizes come from a file.
///
/// - Parameters:
///   - bytes: The bound on all that libtorch allocates for this thread meanwhile and has not freed.
///   - body: The work; it must catch the errors of its calls, or pass them on.
/// - Returns: The result of `body`.
/// - Throws: The error of `body`.
package func withMemoryBound<Result>(
  _ bytes: Int, _ body: () throws -> Result
) throws -> Result {
  try require(ct_memory_watch_begin(Int64(max(bytes, 1))), "withMemoryBound")
  defer {
    var ignored = ct_memory()
    check(ct_memory_watch_end(&ignored), "withMemoryBound")
  }
  return try body()
}
