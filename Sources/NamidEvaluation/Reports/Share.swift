import NamidStatistics

/// A part of some samples with its uncertainty.
public struct Share: Codable, Hashable, Sendable {
  /// The number of samples that belong to the part.
  public var robust: Int
  /// The number of all samples.
  public var total: Int
  /// The quotient; 0 of none.
  public var accuracy: Double
  /// Wilson's 95 % interval of it.
  public var interval: ConfidenceInterval

  enum CodingKeys: String, CodingKey {
    case robust, total
    case accuracy = "robust_accuracy"
    case interval = "ci95"
  }

  /// A share from counts.
  public init(_ robust: Int, of total: Int) {
    self.robust = robust
    self.total = total
    accuracy = total == 0 ? 0 : Double(robust) / Double(total)
    interval = .wilson(robust, of: total)
  }
}

/// The samples that are right under every attack that was listed.
public struct WorstCase: Codable, Hashable, Sendable {
  /// The attacks.
  public var attacks: [String]
  /// The share that all of them left standing.
  public var share: Share

  /// The worst case of several outcomes; nil with fewer than two real attacks.
  init?(_ outcomes: [Evaluator.Outcome]) {
    let attacks = outcomes.filter { $0.report.refused != nil }
    guard attacks.count > 1, let first = attacks.first else { return nil }
    self.attacks = attacks.map(\.report.name)
    let standing = first.isRobust.indices.filter { sample in
      attacks.allSatisfy { $0.isRobust[sample] }
    }
    share = Share(standing.count, of: first.isRobust.count)
  }

  enum CodingKeys: String, CodingKey {
    case attacks
    case share = "union"
  }
}
