import NamidStatistics

/// The images on which a network withstood an attack.
struct Withstood: Hashable {
  /// The digest of the images.
  var images: String
  /// True where the network withstood the attack, for every image in order.
  var isRobust: [Bool]
}

/// A figure minus that of another row, image by image.
///
/// Two networks fail on many of the same images, so that the interval of the difference is narrower than those of the
/// two shares suggest.
package struct PairedDifference: Codable, Hashable, Sendable {
  /// The other row.
  package var row: String
  /// The mean difference of shares over the seeds that both have.
  package var mean: Double
  /// Its 95 % interval: of one seed over images (Wald, paired), of several over seeds (Student).
  package var interval: ConfidenceInterval
  /// Seeds that both rows have.
  package var seeds: Int
  /// Images that only this row withstood, over all seeds.
  package var gained: Int
  /// Images that only the other row withstood, over all seeds.
  package var lost: Int

  enum CodingKeys: String, CodingKey {
    case row, mean, seeds, gained, lost
    case interval = "ci95"
  }

  /// The difference to another row, from images by seed; nil where no seed has both, or where images differ.
  init?(_ own: [Int: Withstood], minus other: [Int: Withstood], of row: String) {
    let pairs = own.keys.sorted().compactMap { seed -> (gained: Int, lost: Int, count: Int)? in
      guard let mine = own[seed], let theirs = other[seed], mine.images == theirs.images,
        mine.isRobust.count == theirs.isRobust.count, !mine.isRobust.isEmpty
      else { return nil }
      let both = zip(mine.isRobust, theirs.isRobust)
      return (
        both.count { $0 && !$1 }, both.count { !$0 && $1 }, mine.isRobust.count
      )
    }
    if pairs.isEmpty { return nil }
    self.row = row
    seeds = pairs.count
    gained = pairs.reduce(0) { $0 + $1.gained }
    lost = pairs.reduce(0) { $0 + $1.lost }
    let differences = pairs.map { Double($0.gained - $0.lost) / Double($0.count) }
    let summary = SampleSummary(differences)
    mean = summary.mean
    interval = summary.studentInterval ?? Self.wald(gained, lost, of: pairs[0].count)
  }

  /// The 95 % interval of the difference of two shares of the same images.
  private static func wald(_ gained: Int, _ lost: Int, of count: Int) -> ConfidenceInterval {
    let count = Double(count)
    let mean = Double(gained - lost) / count
    let variance = (Double(gained + lost) / count - mean * mean) / count
    return ConfidenceInterval(
      around: mean, half: ConfidenceInterval.z * max(variance, 0).squareRoot())
  }
}
