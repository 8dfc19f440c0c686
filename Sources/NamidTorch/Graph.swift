import CTorch

/// Work of an accelerator that is recorded once and then repeated with the same memory: a CUDA graph.
///
/// A repetition costs the host one call, however many operators there are. What is recorded must not ask the device
/// for a value or upload one, and reads its inputs where they lay when it was recorded: new ones are copied there.
public final class Graph {
  private let handle: ct_graph_ref

  /// True where the accelerator's library, which records graphs, is loaded.
  public static var isAvailable: Bool { ct_graphs_available() }

  /// Records what `body` asks of a device; none of it is done before `replay()`.
  ///
  /// - Throws: `EngineError` when the work cannot be recorded.
  public init(on device: Device, _ body: () -> Void) throws(EngineError) {
    var graph: ct_graph_ref?
    try require(ct_graph_begin(device.index, &graph), "Graph(on: \(device))")
    guard let graph else { preconditionFailure("the engine returned no graph") }
    handle = graph
    // Low-precision copies of weights that were made before would be read after they are gone.
    check(ct_autocast_clear_cache(), "Graph(on: \(device))")
    body()
    check(ct_autocast_clear_cache(), "Graph(on: \(device))")
    try require(ct_graph_end(graph), "Graph(on: \(device))")
  }

  deinit { ct_graph_release(handle) }

  /// Does the recorded work once.
  ///
  /// - Throws: `EngineError` when the device cannot begin it.
  public func replay() throws(EngineError) {
    try require(ct_graph_replay(handle), "replay()")
  }
}
