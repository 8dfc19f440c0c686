import NamidSettings
import NamidTorch

/// The samples of each score matrix: estimates depend on a batch's size and members, so both are fixed.
///
/// Samples come in an order drawn once. All batches have one size; the last is filled up with the first samples of
/// that order, whose values are not taken a second time. Every sample gets one value.
package struct InformationBatches: Hashable, Sendable {
  /// The samples of one score matrix.
  struct Batch: Hashable, Sendable {
    /// The places of the batch's samples in the data set.
    var members: [Int]
    /// The number of samples, from the first on, that are measured in this batch; the others only fill it up.
    var counted: Int
  }

  /// The number of samples per batch.
  let size: Int
  /// The number of samples in all.
  let count: Int
  let batches: [Batch]
  private let seed: Int

  /// Draws the batches of a data set of `count` samples, which form one batch where they are fewer than its size.
  ///
  /// - Throws: `LaboratoryError.tooFewImages` for fewer than two samples, since other samples are the negatives.
  package init(count: Int, size: Int, seed: Int) throws(LaboratoryError) {
    guard count >= 2 else { throw .tooFewImages(count) }
    precondition(size >= 2, "batches of \(size) samples")
    let size = min(size, count)
    let order = RandomStream(seed: seed).keyed("information").permutation(count)
    batches = stride(from: 0, to: count, by: size).map { start in
      let own = Array(order[start..<min(start + size, count)])
      return Batch(members: own + Array(order.prefix(size - own.count)), counted: own.count)
    }
    self.size = size
    self.count = count
    self.seed = seed
  }

  /// The record of the batches, for reports.
  package struct Record: Encodable, Hashable, Sendable {
    /// The number of samples per score matrix.
    package var size: Int
    /// The number of score matrices.
    package var count: Int
    /// The number of samples that only fill up the last matrix.
    package var filled: Int
    /// The order of the samples in words.
    package var order: String
    /// A digest of all members, by their indices on disk.
    package var digest: String
  }

  /// Makes the record of the batches from each sample's index on disk.
  func record(indices: [Int]) throws -> Record {
    let filled = size - (batches.last?.counted ?? size)
    return Record(
      size: size, count: batches.count, filled: filled,
      order: "drawn once with seed \(seed)"
        + (filled == 0 ? "" : "; \(filled) samples of the first batch fill the last one"),
      digest: try specificationHash(batches.map { $0.members.map { indices[$0] } }))
  }
}
