import NamidTorch

/// The batches of one epoch: adds up terms, stops when they are not finite, and tells how far it is.
struct EpochLoop {
  /// Counted from 0.
  let epoch: Int
  /// Epochs in all.
  let epochs: Int
  /// Batches between two looks at the terms; each look waits for the device.
  let interval: Int

  /// Runs `update` on every batch.
  ///
  /// - Parameters:
  ///   - count: How many batches there are.
  ///   - report: Told how far it is.
  ///   - update: Trains on a batch, given its number from 0.
  /// - Returns: The mean of each term.
  /// - Throws: `TrainingError.diverged` when a mean is not finite.
  func run(
    _ count: Int, report: (TrainingEvent) -> Void,
    update: (Int) throws -> [(name: String, value: Tensor)]
  ) throws -> [(name: String, value: Double)] {
    var means = TermMeans()
    var values: [(name: String, value: Double)] = []
    for number in 0..<count {
      means.add(try update(number))
      guard (number + 1) % interval == 0 || number + 1 == count else { continue }
      values = means.values
      guard values.allSatisfy(\.value.isFinite) else {
        let text = values.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        throw TrainingError.diverged(epoch: epoch + 1, batch: number + 1, terms: text)
      }
      report(
        .progress(
          epoch: epoch + 1, of: epochs, batch: number + 1, batches: count, terms: values))
    }
    return values
  }
}
