import Foundation
import NamidAttacks
import NamidFiles
import NamidSettings
import Testing
@testable import NamidEvaluation

@Suite struct RepeatedReportTests {
  private func report(
    _ name: String, robust: Int, data: String = "d", epsilon: Int = 8, steps: String = "20",
    norm: Norm = .linf
  ) throws -> EvaluationReport {
    try EvaluationReport(
      dataset: .init(name: "Synthetic", split: "test", count: 200, fingerprint: data),
      model: .init(
        name: name, architecture: "small-cnn", parameters: 5, checkpoint: "epoch 3",
        fingerprint: name),
      threat: ThreatModel(norm: norm, epsilon: Fraction(epsilon, over: 255)), cleanAccuracy: 0.9,
      attacks: [
        AttackReport(
          name: "clean", robust: 180, total: 200, cost: Cost(forwards: 200), seconds: 1,
          settings: [:]),
        AttackReport(
          name: "pgd-20", robust: robust, total: 200, cost: Cost(forwards: 9, backwards: 8),
          seconds: 1, settings: ["steps": .string(steps)]),
      ], seed: 0)
  }

  @Test func meanAndDeviationAreThoseByHand() throws {
    let repeated = try RepeatedReport([
      report("a", robust: 80), report("b", robust: 90), report("c", robust: 100),
    ])
    #expect(repeated.summary.map(\.name) == ["clean", "pgd-20"])
    #expect(repeated.summary[0].robustAccuracy.text(times: 100, digits: 1) == "90.0 ± 0.0 (n = 3)")
    // 40, 45 and 50 %.
    #expect(repeated.summary[1].robustAccuracy.text(times: 100, digits: 1) == "45.0 ± 5.0 (n = 3)")
    #expect(repeated.runs.map(\.model.name) == ["a", "b", "c"])
  }

  @Test func theWorstCaseIsSummedUpWhereThereIsOne() throws {
    let reports = try [50, 70].map { robust in
      var one = try report("r\(robust)", robust: robust)
      let json: JSONValue = [
        "attacks": ["x", "y"],
        "union": [
          "robust": .int(robust), "total": 200, "robust_accuracy": .double(Double(robust) / 200),
          "ci95": [0, 1],
        ],
      ]
      one.worstCase = try json.decode(WorstCase.self, unknownKeys: .refused)
      return one
    }
    let last = try #require(try RepeatedReport(reports).summary.last)
    #expect(last.name == "worst case of all")
    #expect(last.robustAccuracy.mean == 0.3 && last.robustAccuracy.count == 2)
  }

  @Test(arguments: ["images", "ball", "ball of another norm", "attacks"])
  func whatDiffersIsNotAveraged(
    what: String
  ) throws {
    let first = try report("a", robust: 80)
    let other = try report(
      "b", robust: 80, data: what == "images" ? "e" : "d", epsilon: what == "ball" ? 4 : 8,
      steps: what == "attacks" ? "40" : "20", norm: what.hasSuffix("norm") ? .l2 : .linf)
    let error = #expect(throws: EvaluationError.self) { try RepeatedReport([first, other]) }
    let word = try #require(what.split(separator: " ").first)
    #expect("\(try #require(error))".contains(word), "\(String(describing: error))")
  }
}
