import Namid

/// The middle and the ends of some measurements.
struct Spread: Equatable {
  let median: Double
  let lowest: Double
  let highest: Double

  /// The spread of values; nil for none.
  init?(_ values: [Double]) {
    guard let median = Statistics.median(values), let lowest = values.min(),
      let highest = values.max()
    else { return nil }
    (self.median, self.lowest, self.highest) = (median, lowest, highest)
  }

  /// Ratios of one program's values over another's, round by round.
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
