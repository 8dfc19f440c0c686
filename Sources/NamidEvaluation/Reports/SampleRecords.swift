import NamidAttacks

/// The results of an attack for every sample, one list per figure, in the order of the data set.
public struct SampleRecords: Codable, Hashable, Sendable {
  /// 1 where the network is right, 0 where it is wrong.
  public var robust: [Int]
  /// Evaluations of the network.
  public var forwards: [Int]
  /// Gradients.
  public var backwards: [Int]
  /// Evaluations by an attacker who only sees scores.
  public var queries: [Int]
  /// Sizes of the smallest perturbations found, infinite where none was; nil for attacks that look for none.
  public var distances: [Double]?
  /// The place of the member that fooled the network, from 0, or −1; nil for attacks without members.
  public var fooledBy: [Int]?

  enum CodingKeys: String, CodingKey {
    case robust, forwards, backwards, queries, distances
    case fooledBy = "fooled_by"
  }

  init(isRobust: [Bool], costs: [Cost], distances: [Float]?, fooledBy: [Int]?) {
    robust = isRobust.map { $0 ? 1 : 0 }
    forwards = costs.map(\.forwards)
    backwards = costs.map(\.backwards)
    queries = costs.map(\.queries)
    // The decimal text of the float32 value: its binary expansion would feign digits.
    self.distances = distances.map { $0.map { Double($0.description) ?? Double($0) } }
    self.fooledBy = fooledBy
  }
}

/// The samples of a data set as records name them.
public struct SampleNames: Codable, Hashable, Sendable {
  /// Each image's index in the split as it lies on disk.
  public var index: [Int]
  /// Its class.
  public var label: [Int]
  /// 1 where the network is right on the unattacked image.
  public var clean: [Int]

  /// Names of samples.
  init(index: [Int], label: [Int], isRight: [Bool]) {
    self.index = index
    self.label = label
    clean = isRight.map { $0 ? 1 : 0 }
  }
}
