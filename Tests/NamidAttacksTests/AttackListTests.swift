import NamidSettings
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct AttackListTests {
  let threat = ThreatModel(norm: .linf, epsilon: Fraction(8, over: 255))

  func message(_ text: String) -> String {
    do {
      return "parsed: \(try AttackList.parse(text, threat: threat).map(\.name))"
    } catch {
      return error.description
    }
  }

  @Test func namesAndSettingsAreRead() throws {
    let attacks = try AttackList.parse(
      "clean,pgd-40:restarts=5:step_size=2/255:start=uniform,pgd-7", threat: threat)
    #expect(attacks.map(\.name) == ["clean", "pgd-40", "pgd-7"])
    let first = try #require(attacks[1] as? PGD)
    #expect(
      first
        == PGD(threat: threat, steps: 40, stepSize: 2.0 / 255, start: .uniform, restarts: 5))
    #expect(attacks[2] as? PGD == PGD(threat: threat, steps: 7))
    #expect((attacks[2] as? PGD)?.settings.stepSize == 2.0 / 255)
    #expect(first.record["restarts"] == 5 && first.record["start"] == "uniform")
  }

  @Test func unknownNamesAreRefusedWithASuggestion() {
    #expect(message("pdg-20").contains("did you mean \"pgd\"?"))
    #expect(message("clena").contains("did you mean \"clean\"?"))
    for text in ["", "pgd-", "pgd--3", "pgd-x", "clean,nothing", "clean-3"] {
      #expect(message(text).contains("there is no attack"), "\(text)")
    }
  }

  @Test func badSettingsAreRefusedByName() {
    #expect(message("clean:restarts=2").contains("it has none"))
    #expect(message("pgd-5:restarts=0").contains("from 1"))
    #expect(message("pgd-5:restarts").contains("key=value"))
    #expect(message("pgd-5:step_size=-1").contains("2/255"))
    #expect(message("pgd-5:step_size=1/0").contains("2/255"))
    #expect(message("pgd-5:start=here").contains("none, gaussian, uniform"))
    #expect(message("pgd-0").contains("from 1 to"))
    #expect(message("pgd-99999999999999999999").contains("whole number"))
    #expect(message("pgd-5:momentum=1").contains("momentum"))
    #expect(message("pgd-5:restart=1").contains("did you mean \"restarts\"?"))
    #expect(message("pgd-5:steps=7").contains("given twice"))
    #expect(message("pgd:restarts=2:restarts=3").contains("given twice"))
  }

  @Test func theNumberIsASettingWithADefault() throws {
    let attacks = try AttackList.parse("pgd, pgd:steps=7", threat: threat)
    #expect(attacks.map(\.name) == ["pgd-40", "pgd-7"])
  }

  @Test func normsThatAnAttackLacksAreRefused() {
    do {
      _ = try AttackList.parse("pgd-3", threat: ThreatModel(norm: .l1, epsilon: 12))
      Issue.record("PGD has no L1 form")
    } catch {
      #expect(error.description.contains("l1") && error.description.contains("linf, l2"))
    }
  }

  @Test func theStepIsAQuarterOfTheRadiusUnlessGiven() {
    #expect(PGD(threat: threat, steps: 3).settings.stepSize == threat.epsilon.value / 4)
    #expect(PGD(threat: threat, steps: 3, stepSize: 0.5).settings.stepSize == 0.5)
  }
}
