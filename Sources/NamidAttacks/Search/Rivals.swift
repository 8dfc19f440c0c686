import NamidTorch

extension Search {
  /// The classes (N) that a targeted attack aims at, one after the other: those that the unattacked images are nearest to.
  ///
  /// - Parameter count: The most classes; there are never more than all but the label.
  /// - Returns: One tensor per rank, the likeliest class first.
  func rivals(_ count: Int) -> [Tensor] {
    let ranked = cleanLogits.withoutLabels(labels)
      .topk(min(count, cleanLogits.size(1) - 1)).indices
    return (0..<ranked.size(1)).map { ranked.select(1, $0) }
  }
}
