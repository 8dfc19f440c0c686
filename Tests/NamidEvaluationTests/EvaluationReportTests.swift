import Foundation
import NamidAttacks
import NamidFiles
import NamidSettings
import NamidStatistics
import Testing

@testable import NamidEvaluation

@Suite struct EvaluationReportTests {
  private func report(
    seed: Int = 1, data: String = "d0", model: String = "m0",
    threat: ThreatModel = ThreatModel(epsilon: Fraction(8, over: 255)), steps: String = "20",
    seconds: Double = 1, name: String = "runs/at", robust: Int = 40
  ) throws -> EvaluationReport {
    try EvaluationReport(
      dataset: .init(name: "Synthetic", split: "test", count: 60, fingerprint: data),
      model: .init(
        name: name, architecture: "small-cnn", parameters: 5, checkpoint: "epoch 3",
        fingerprint: model),
      threat: threat, cleanAccuracy: 0.9,
      attacks: [
        AttackReport(
          name: "pgd-20", robust: robust, total: 60, cost: Cost(forwards: 700, backwards: 600),
          seconds: seconds, settings: ["steps": .string(steps)])
      ], seed: seed)
  }

  @Test func itHasTheKeysThatReadersRelyOn() throws {
    let json = try JSONValue(encoding: report())
    #expect(json["dataset"]?["name"]?.stringValue == "Synthetic")
    #expect(json["dataset"]?["split"]?.stringValue == "test")
    #expect(json["dataset"]?["count"]?.intValue == 60)
    #expect(json["model"]?["name"]?.stringValue == "runs/at")
    #expect(json["threat"]?["norm"]?.stringValue == "linf")
    #expect(json["threat"]?["epsilon"]?.doubleValue == 8.0 / 255)
    #expect(json["threat"]?["epsilon_text"]?.stringValue == "8/255")
    #expect(json["clean_accuracy"]?.doubleValue == 0.9)
    #expect(json["seed"]?.intValue == 1)
    let hash = try #require(json["spec_hash"]?.stringValue)
    #expect(hash.count == 16 && hash.allSatisfy { $0.isHexDigit })
    let attack = try #require(json["attacks"]?.arrayValue?.first)
    #expect(attack["name"]?.stringValue == "pgd-20")
    #expect(attack["robust_accuracy"]?.doubleValue == 40.0 / 60)
    #expect(attack["robust"]?.intValue == 40)
    #expect(attack["total"]?.intValue == 60)
    #expect(attack["forwards"]?.intValue == 700)
    #expect(attack["backwards"]?.intValue == 600)
    #expect(attack["seconds"]?.doubleValue == 1)
    #expect(attack["settings"]?["steps"]?.stringValue == "20")
    let interval = try #require(attack["ci95"]?.arrayValue).compactMap(\.doubleValue)
    let expected = ConfidenceInterval.wilson(40, of: 60)
    #expect(interval == expected.ends)
  }

  /// A radius whose number and text differ is none.
  @Test func aBallThatContradictsItselfIsRefused() throws {
    var tree = try #require(try JSONValue(encoding: report()).objectValue)
    for (norm, text) in [("linf", "4/255"), ("l7", "8/255"), ("linf", "eight")] {
      tree["threat"] = [
        "norm": .string(norm), "epsilon": .double(8.0 / 255), "epsilon_text": .string(text),
      ]
      #expect(throws: (any Error).self) {
        try JSONValue.object(tree).decode(EvaluationReport.self)
      }
    }
  }

  @Test func itCanBeReadBack() throws {
    let json = try JSONValue(encoding: report())
    let again = try json.decode(EvaluationReport.self, unknownKeys: .refused)
    #expect(try JSONValue(encoding: again) == json)
  }

  @Test func theHashChangesWithWhatDecidesTheFigures() throws {
    let hash = try report().specificationHash
    let others = try [
      report(seed: 2), report(data: "d1"), report(model: "m1"), report(steps: "40"),
      report(threat: ThreatModel(epsilon: Fraction(4, over: 255))),
      report(threat: ThreatModel(norm: .l2, epsilon: Fraction(8, over: 255))),
    ]
    let hashes = others.map(\.specificationHash)
    #expect(!hashes.contains(hash))
    #expect(Set(hashes).count == others.count)
  }

  @Test func theHashIsBlindToTimePlaceAndOutcome() throws {
    let hash = try report().specificationHash
    #expect(try report(seconds: 2).specificationHash == hash)
    #expect(try report(name: "elsewhere/at").specificationHash == hash)
    #expect(try report(robust: 10).specificationHash == hash)
  }

  /// Figures on record keep their digest: what later versions add changes it only where it is used.
  @Test func theHashIsThatOfTheSpecificationAlone() throws {
    let tree: JSONValue = [
      "data": "d0", "model": "m0", "norm": "linf", "epsilon": .double(8.0 / 255),
      "attacks": [["pgd-20": ["steps": "20"]]], "seed": 1,
    ]
    #expect(try report().specificationHash == specificationHash(tree))
  }

  @Test func theHashKnowsMembersAndTheSource() throws {
    let plain = try report()
    var attack = plain.attacks[0]
    var members: [String] = []
    for steps in ["5", "6"] {
      attack.members = [
        MemberReport(
          name: "part", settings: ["steps": .string(steps)], attacked: 1, fooled: 0, robust: 1,
          refused: RefusedClaims([Certificate.Problem]()), cost: Cost(), seconds: 0)
      ]
      members.append(
        try EvaluationReport(
          dataset: plain.dataset, model: plain.model, threat: ThreatModel(epsilon: 1),
          cleanAccuracy: 1, attacks: [attack], seed: 1
        ).specificationHash)
    }
    let transfer = try EvaluationReport(
      dataset: plain.dataset, model: plain.model, source: plain.model,
      threat: ThreatModel(epsilon: 1), cleanAccuracy: 1, attacks: plain.attacks, seed: 1)
    #expect(Set(members + [plain.specificationHash, transfer.specificationHash]).count == 4)
  }

  /// A radius is a number, however it is written.
  @Test func theHashIsBlindToSpelling() throws {
    let spellings = try ["0.5", "1/2", "5e-1"].map { text in
      let epsilon = try #require(Fraction(text))
      return try report(threat: ThreatModel(epsilon: epsilon)).specificationHash
    }
    #expect(Set(spellings).count == 1)
  }

  @Test func noSamplesMeanNoAccuracy() {
    let report = AttackReport(
      name: "clean", robust: 0, total: 0, cost: Cost(), seconds: 0, settings: [:])
    #expect(report.robustAccuracy == 0)
    #expect(report.interval == ConfidenceInterval(0, 1))
  }
}
