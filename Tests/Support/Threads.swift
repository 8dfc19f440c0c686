import NamidTorch

/// Runs `body` with one thread per operator: more only cost time on tiny tensors.
public func withOneThread<Result>(_ body: () throws -> Result) rethrows -> Result {
  let threads = TorchEnvironment.read().threads
  TorchEnvironment.setThreads(1)
  defer { TorchEnvironment.setThreads(threads) }
  return try body()
}
