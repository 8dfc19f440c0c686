import Foundation

/// A joint distribution of a few discrete variables, listed outcome by outcome; entropies are sums, in nats.
public struct DiscreteJoint: Sendable {
  /// The variables' names.
  public let variables: [String]
  /// Values by variable and outcome, renumbered from 0.
  private let columns: [[Int]]
  /// The number of values that each variable takes.
  private let sizes: [Int]
  /// The outcomes' probabilities.
  private let probabilities: [Double]

  /// Creates a distribution.
  ///
  /// - Parameters:
  ///   - variables: Names, one per value of an outcome.
  ///   - outcomes: Values with their weights; weights are scaled to sum 1, and an outcome may be listed more than once.
  /// - Precondition: Weights are not negative and not all 0; outcomes have one value per variable.
  public init(_ variables: [String], outcomes: [(values: [Int], weight: Double)]) {
    let present = outcomes.filter { $0.weight > 0 }
    let total = Self.sum(present.map(\.weight))
    precondition(total > 0 && outcomes.allSatisfy { $0.weight >= 0 }, "weights must be positive")
    precondition(outcomes.allSatisfy { $0.values.count == variables.count }, "one value a variable")
    self.variables = variables
    probabilities = present.map { $0.weight / total }
    var (columns, sizes): ([[Int]], [Int]) = ([], [])
    for variable in variables.indices {
      let (numbers, count) = Self.renumbered(present.map { $0.values[variable] })
      columns.append(numbers)
      sizes.append(count)
    }
    (self.columns, self.sizes) = (columns, sizes)
  }

  /// Computes the entropy H of some variables together, in nats.
  public func entropy(_ names: String...) -> Double { entropy(of: names) }

  /// Computes the entropy H of some variables together, in nats; 0 for none.
  public func entropy(of names: [String]) -> Double {
    var (groups, count) = ([Int](repeating: 0, count: probabilities.count), 1)
    for name in Set(names) {
      let place = place(of: name)
      let size = sizes[place]
      for i in groups.indices { groups[i] = groups[i] * size + columns[place][i] }
      (groups, count) = Self.renumbered(groups)
    }
    var sums = [CompensatedSum](repeating: CompensatedSum(), count: count)
    for (group, probability) in zip(groups, probabilities) { sums[group].add(probability) }
    return Self.sum(sums.map { $0.value > 0 ? -$0.value * log($0.value) : 0 })
  }

  /// Computes the entropy H of some variables when others are known, in nats.
  public func entropy(of names: [String], given known: [String]) -> Double {
    entropy(of: names + known) - entropy(of: known)
  }

  /// Computes the mutual information I of two groups of variables when others are known, in nats.
  public func mutualInformation(_ a: [String], _ b: [String], given known: [String] = []) -> Double
  {
    entropy(of: a + known) + entropy(of: b + known) - entropy(of: a + b + known)
      - entropy(of: known)
  }

  /// Computes the co-information I(A; B) − I(A; B | C), positive for redundancy and negative for synergy (Yeung's sign,
  /// not McGill's).
  public func coInformation(_ a: String, _ b: String, _ c: String) -> Double {
    mutualInformation([a], [b]) - mutualInformation([a], [b], given: [c])
  }

  private func place(of name: String) -> Int {
    guard let place = variables.firstIndex(of: name) else {
      preconditionFailure("there is no variable \(name) among \(variables)")
    }
    return place
  }

  /// Renumbers values 0, 1, … in the order of first appearance.
  private static func renumbered(_ values: [Int]) -> (numbers: [Int], count: Int) {
    var numbers: [Int: Int] = [:]
    let renumbered = values.map { value in
      if let number = numbers[value] { return number }
      numbers[value] = numbers.count
      return numbers.count - 1
    }
    return (renumbered, numbers.count)
  }

  private static func sum(_ values: [Double]) -> Double {
    var sum = CompensatedSum()
    for value in values { sum.add(value) }
    return sum.value
  }
}

/// A sum that makes up for rounding errors (Neumaier, 1974).
struct CompensatedSum {
  private var total = 0.0
  private var lost = 0.0

  var value: Double { total + lost }

  mutating func add(_ term: Double) {
    let next = total + term
    lost += abs(total) >= abs(term) ? (total - next) + term : (term - next) + total
    total = next
  }
}
