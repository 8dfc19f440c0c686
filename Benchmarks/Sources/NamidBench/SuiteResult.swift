/// The measurements of one program of a comparison.
struct ContestantResult: Equatable {
  let contestant: Contestant
  /// One value per round; nil where there is none.
  var values: [Double?] = []
  /// The facts that it sent when it was ready.
  var facts: [String: Double] = [:]
  var versions: [String: String] = [:]
  /// The reason why it gives no more values; nil while all is well.
  var failure: String?

  /// Middle and ends of what was measured.
  var spread: Spread? { Spread(values.compactMap { $0 }) }

  /// Floating-point operations per second, in the middle; nil where they are not counted.
  var rate: Double? {
    guard let operations = contestant.operations else { return nil }
    return spread.map { operations / $0.median }
  }
}

/// The measurements of a comparison.
struct CaseResult: Equatable {
  let suiteCase: SuiteCase
  var results: [ContestantResult]

  init(_ suiteCase: SuiteCase) {
    self.suiteCase = suiteCase
    results = suiteCase.contestants.map { ContestantResult(contestant: $0) }
  }

  /// The results of this project's programs.
  var ours: [ContestantResult] { results.filter(\.contestant.isOurs) }

  /// Ratios of the best variant of a kind of peer over this project's first program; nil where either has no value.
  func ratio(over kind: String) -> Spread? {
    guard let first = ours.first else { return nil }
    return results.filter { $0.contestant.kind == kind }
      .compactMap { Spread.ratios(of: $0.values, over: first.values) }
      .min { $0.median < $1.median }
  }

  /// Facts in which a program differs from this project's by more than rounding and another random start explain.
  ///
  /// The reference is this project's float32, where there is one: bfloat16 rounds.
  var disagreements: [(name: String, fact: String, found: Double, expected: Double)] {
    let reference = ours.last { $0.contestant.name.hasSuffix("float32") } ?? ours.first
    guard let reference, suiteCase.contestants.contains(where: { !$0.isOurs }) else { return [] }
    return results.flatMap { result in
      reference.facts.keys.sorted().compactMap { fact in
        guard let expected = reference.facts[fact], let found = result.facts[fact],
          let allowed = Self.allowance(for: fact, of: expected), abs(found - expected) > allowed
        else { return nil }
        return (result.contestant.name, fact, found, expected)
      }
    }
  }

  /// By how much a fact may differ; nil for those that need not agree.
  private static func allowance(for fact: String, of value: Double) -> Double? {
    if fact.hasSuffix("_loss") { return 0.05 * abs(value) + 0.02 }
    if fact.hasSuffix("_share") { return 0.03 }
    return nil
  }
}
