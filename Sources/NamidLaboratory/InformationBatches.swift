import NamidSettings
import NamidTorch

/// Which samples share a score matrix: estimates depend on a batch's size and members, so both are fixed.
///
/// Samples come in an order drawn once. All batches have one size; the last is filled up with the first samples of
/// that order, whose values are not taken a second time. Every sample gets one value.
package struct InformationBatches: Hashable, Sendable {
  /// One score matrix.
  package struct Batch: Hashable, Sendable {
    /// Places of its samples in the data set.
    package var members: [Int]
    /// How many of them, from the first on, are measured here; the others are only there to fill it up.
    package var counted: Int
  }

  /// Samples per batch.
  package let size: Int
  /// How many samples there are.
  package let count: Int
  /// The batches.
  package let batches: [Batch]

  /// The batches of a data set.
  ///
  /// - Parameters:
  ///   - count: How many samples there are.
  ///   - size: How many stand in a batch; all of them where there are fewer.
  ///   - seed: Seed of the order.
  /// - Throws: `LaboratoryError.tooFewImages` for fewer than two: other samples are the negatives.
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
  }

  /// What a report says of the batches.
  package struct Record: Encodable, Hashable, Sendable {
    /// Samples per score matrix.
    package var size: Int
    /// How many matrices there are.
    package var count: Int
    /// How many of the last one's samples are there only to fill it up.
    package var filled: Int
    /// Which samples stand together, in words.
    package var order: String
    /// A digest of all members, by their indices on disk.
    package var digest: String
  }

  /// What a report says of the batches.
  ///
  /// - Parameters:
  ///   - indices: Each sample's index on disk.
  ///   - seed: Seed of the order.
  /// - Returns: The record.
  /// - Throws: What encoding it throws.
  package func record(indices: [Int], seed: Int) throws -> Record {
    let filled = size - (batches.last?.counted ?? size)
    return Record(
      size: size, count: batches.count, filled: filled,
      order: "drawn once with seed \(seed)"
        + (filled == 0 ? "" : "; \(filled) samples of the first batch fill the last one"),
      digest: try specificationHash(batches.map { $0.members.map { indices[$0] } }))
  }
}
