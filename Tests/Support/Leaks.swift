import NamidTorch
import Testing

/// Runs `body` and records a failure unless as many tensors are alive afterwards as before.
public func expectNoTensorLeak(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) rethrows {
  let before = Tensor.liveCount
  try body()
  let left = Tensor.liveCount - before
  if left != 0 {
    Issue.record("\(left) tensors more are alive than before", sourceLocation: sourceLocation)
  }
}
