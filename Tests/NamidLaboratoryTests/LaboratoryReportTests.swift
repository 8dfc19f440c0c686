import Foundation
import NamidAttacks
import NamidInformation
import NamidSettings
import NamidTraining
import Testing

@testable import NamidEvaluation
@testable import NamidLaboratory
@testable import NamidPages

@Suite("Laboratory reports") struct LaboratoryReportTests {
  private static let attack = AttackRecord(
    name: "pgd-2", settings: ["steps": "2"], goal: .strongest,
    cleanAccuracy: SampleShare(3, of: 4), robustAccuracy: SampleShare(1, of: 4),
    evaluationHash: "0123")
  private static let outcomes = SampleOutcomes(
    index: [0, 1, 2, 3], label: [0, 1, 0, 1], clean: [0, 1, 0, 0], attacked: [0, 0, 1, 0],
    isSelected: [false, true, true, false], batch: [0, 0, 0, 0])

  private static func batches(_ seed: Int = 0) throws -> InformationBatches.Record {
    try InformationBatches(count: 4, size: 4, seed: seed)
      .record(indices: outcomes.index)
  }

  private static func identity(_ fingerprint: String) -> EstimatorIdentity {
    EstimatorIdentity(
      name: "runs/\(fingerprint)", kind: .pair, objective: .eq5, units: 8, leak: true,
      selection: .argmax, data: "sample", threat: ThreatModel(epsilon: 0.1), epochs: 1,
      batchSize: 4,
      fingerprint: fingerprint)
  }

  private static func reading(_ role: EstimatorRole, gap: Double) throws -> EstimatorReading {
    let reading = try EstimatorReading(
      role, identity(role.rawValue), remarks: [],
      values: InformationValues(
        natural: InformationPair(
          clean: [1, 2, 3, 4].map { $0 + gap }, attacked: [1.5, 1.9, 2.9, 3.9]),
        adversarial: InformationPair(clean: [-1, 0, 1, 2], attacked: [-2, 1, 2, 3])),
      outcomes: outcomes, attack: attack, batches: batches())
    return try #require(reading)
  }

  /// A figure's name changes with everything that it depends on.
  @Test func theHashDependsOnAttackEstimatorsAndBatches() throws {
    func hash(_ evaluation: String, _ estimators: String, _ seed: Int) throws -> String {
      var attack = Self.attack
      attack.evaluationHash = evaluation
      return try AttackInformation(
        attack, outcomes: Self.outcomes, values: nil, estimators: Self.identity(estimators),
        selection: .argmax, batches: Self.batches(seed)
      ).specificationHash
    }
    let hashes = [
      try hash("a", "b", 0), try hash("c", "b", 0), try hash("a", "d", 0), try hash("a", "b", 1),
    ]
    #expect(Set(hashes).count == 4)
    #expect(try hash("a", "b", 0) == hashes[0])
  }

  @Test func theOffsetMovesTheLowestValueToZero() throws {
    let reading = try Self.reading(.eq4, gap: 0)
    #expect(reading.natural.offset.lowest == 1)
    #expect(reading.natural.offset.clean == 1.5)
    #expect(abs(reading.natural.offset.attacked - 1.55) < 1e-12)
    #expect(reading.adversarial.offset == .init(lowest: -2, clean: 2.5, attacked: 3))
    #expect(reading.natural.selected?.count == 2)
  }

  @Test func gapsAndFindingsFollowFromTheReadings() throws {
    let comparison = AttackComparison(
      Self.attack, outcomes: Self.outcomes,
      readings: [
        try Self.reading(.eq4, gap: 0), try Self.reading(.eq5, gap: 10),
        try Self.reading(.random, gap: 0),
      ])
    // Three pairs of estimators that are there, two kinds, two groups.
    #expect(comparison.gaps.count == 12)
    let gap = try #require(
      comparison.gaps.first {
        $0.first == .eq5 && $0.second == .eq4 && $0.kind == .natural && $0.group == .all
      })
    #expect(gap.areas[0] == 1 && gap.gap.gap == 1 - gap.areas[1] && gap.gap.gap > 0)
    let questions = comparison.findings.map(\.question)
    #expect(questions.count == 10)
    #expect(questions.contains("eq5: do adversarial samples have smaller natural MI?"))
    let eq5 = try #require(comparison.findings.first { $0.question.hasPrefix("eq5: do") })
    #expect(eq5.answer == .yes)
    let eq4 = try #require(comparison.findings.first { $0.question.hasPrefix("eq4: do") })
    #expect(eq4.answer == .undecided)
  }

  @Test func givenEstimatorsMustBeWhatTheyAreComparedAs() throws {
    var identity = Self.identity("x")
    #expect(EstimatorRole.eq5.problem(identity) == nil)
    #expect(EstimatorRole.eq4.problem(identity)?.contains("eq5") == true)
    identity.control = .shuffled
    #expect(EstimatorRole.eq5.problem(identity)?.contains("shuffled") == true)
    #expect(EstimatorRole.shuffledEq5.problem(identity) == nil)
    identity.kind = .standard
    #expect(EstimatorRole.shuffledEq5.problem(identity)?.contains("standard") == true)
  }

  @Test func rolesDifferInNothingButObjectiveAndControl() {
    var common = EstimatorConfiguration()
    common.epochs = 7
    common.units = 3
    for role in EstimatorRole.allCases {
      var own = role.configuration(common)
      #expect(own.epochs == (role == .random ? 1 : 7))
      own.objective = common.objective
      own.control = common.control
      own.epochs = common.epochs
      #expect(own == common)
    }
    #expect(EstimatorRole.shuffledEq5.configuration(common).objective == .eq5)
    #expect(EstimatorRole.shuffledEq4.configuration(common).control == .shuffled)
  }

  @Test func aRowOfTheProofOfConceptHasBothDifferences() throws {
    let row = try ProofOfConceptReport.Row(
      Self.attack, outcomes: Self.outcomes,
      readings: [[4, 4, 4, 4], [3, 3, 3, 5], [1, 2, 1, 2]], estimator: Self.identity("e"),
      batches: Self.batches())
    #expect(row.natural.mean == 4 && row.standard.mean == 3.5 && row.crossed.mean == 1.5)
    #expect(row.loss.mean == 0.5 && row.confused.mean == 2)
    #expect(row.losing.count == 3 && row.confusing.count == 4 && row.lowest == 1)
  }

  @Test func pagesShowEveryFigureWithItsHash() throws {
    let comparison = AttackComparison(
      Self.attack, outcomes: Self.outcomes,
      readings: [try Self.reading(.eq4, gap: 0), try Self.reading(.eq5, gap: 1)])
    let report = try ComparisonReport(setting: .sample, attacks: [comparison])
    let html = HTMLReport.render(
      report.document(command: "namid mi compare x"), chartLibrary: .failure(.notNamed))
    for reading in comparison.readings {
      #expect(html.components(separatedBy: reading.specificationHash).count == 5)
    }
    for text in ["namid mi compare x", report.specificationHash, "do adversarial samples have"] {
      #expect(html.contains(text))
    }
    let row = try ProofOfConceptReport.Row(
      Self.attack, outcomes: Self.outcomes,
      readings: [[4, 4, 4, 4], [3, 3, 3, 5], [1, 2, 1, 2]], estimator: Self.identity("e"),
      batches: Self.batches())
    let concept = ProofOfConceptReport(
      setting: try .sample, estimator: Self.identity("e"), training: "natural training",
      remarks: ["odd"], rows: [row])
    #expect(concept.offset == 1)
    let page = HTMLReport.render(
      concept.document(command: "namid mi poc x"), chartLibrary: .failure(.notNamed))
    for text in [row.specificationHash, "natural training", "odd", "namid mi poc x", "2.0000"] {
      #expect(page.contains(text), "\(text)")
    }
  }
}

extension InformationReport.Setting {
  /// A setting with nothing behind it.
  fileprivate static var sample: InformationReport.Setting {
    get throws {
      let report = try EvaluationReport(
        dataset: .init(name: "Sample", split: "test", count: 4, fingerprint: "f"),
        model: .init(
          name: "run", architecture: "small-cnn", parameters: 1, checkpoint: "epoch 1",
          fingerprint: "m"),
        threat: .init(epsilon: 0.1), cleanAccuracy: 0.75, attacks: [], seed: 0)
      let batches = try InformationBatches(count: 4, size: 4, seed: 0)
        .record(indices: [0, 1, 2, 3])
      return InformationReport.Setting(report, batches: batches)
    }
  }
}
