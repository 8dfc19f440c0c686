/// The middle and the ends of some measurements.
struct Spread: Equatable {
  let median: Double
  let lowest: Double
  let highest: Double

  /// The spread of values; nil for none.
  init?(_ values: [Double]) {
    let sorted = values.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    (lowest, highest) = (first, last)
  }

  /// How many times larger the values of one program are than those of another, round by round.
  ///
  /// Both values of a ratio come from one round, so that what slows the whole machine for a while does not count.
  /// Rounds in which either has no value are left out.
  static func ratios(of peer: [Double?], over ours: [Double?]) -> Spread? {
    Spread(
      zip(peer, ours).compactMap { peer, ours in
        guard let peer, let ours, ours > 0 else { return nil }
        return peer / ours
      })
  }
}
