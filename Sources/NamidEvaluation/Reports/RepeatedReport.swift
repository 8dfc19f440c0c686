import NamidStatistics

/// Several runs of one experiment, measured alike: every run's figures, and what they came to.
public struct RepeatedReport: Codable, Sendable {
  /// The results of an attack over all runs.
  public struct Summary: Codable, Sendable {
    /// The attack's name; `worst case of all` for all attacks together.
    public var name: String
    /// Mean, deviation between the runs and their number, of the share of images classified correctly.
    public var robustAccuracy: SampleSummary

    enum CodingKeys: String, CodingKey {
      case name
      case robustAccuracy = "robust_accuracy"
    }
  }

  /// The runs in the order in which they were measured.
  public let runs: [EvaluationReport]
  /// One line per attack, in the order in which attacks were listed; then the worst case, where there is one.
  public let summary: [Summary]

  /// Sums up reports on the same images under the same attacks.
  ///
  /// - Parameter runs: The reports; at least one.
  /// - Throws: `EvaluationError.differentMeasurements` when two are not of one kind.
  public init(_ runs: [EvaluationReport]) throws(EvaluationError) {
    precondition(!runs.isEmpty, "expected at least one report")
    for run in runs.dropFirst() {
      if let difference = Self.difference(between: runs[0], and: run) {
        throw .differentMeasurements(
          first: runs[0].model.name, other: run.model.name, of: difference)
      }
    }
    self.runs = runs
    let attacks = runs[0].attacks.indices.map { place in
      Summary(
        name: runs[0].attacks[place].name,
        robustAccuracy: SampleSummary(runs.map { $0.attacks[place].robustAccuracy }))
    }
    let worst = runs.compactMap { $0.worstCase?.share.accuracy }
    summary =
      attacks
      + (worst.isEmpty
        ? [] : [Summary(name: "worst case of all", robustAccuracy: SampleSummary(worst))])
  }

  /// Names the difference that keeps two reports from being averaged; nil for none.
  private static func difference(
    between first: EvaluationReport, and other: EvaluationReport
  ) -> String? {
    if first.dataset.fingerprint != other.dataset.fingerprint { return "other images" }
    if first.threat != other.threat { return "another ball" }
    let settings = { (report: EvaluationReport) in report.attacks.map { [$0.name: $0.settings] } }
    return settings(first) == settings(other) ? nil : "other attacks"
  }
}
