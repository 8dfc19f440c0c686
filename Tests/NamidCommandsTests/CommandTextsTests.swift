import NamidAttacks
import Testing

@testable import NamidCommands
@testable import NamidReports

/// Command lines as cards and reports show them.
@Suite struct CommandTextsTests {
  private let texts = ToolTexts()
  private let measurement = RepeatedMeasurement(
    run: "at", epoch: 3, attacks: "pgd-2:restarts=3,clean", split: "train", limit: 20,
    threat: ThreatModel(norm: .l2, epsilon: 0.5), seed: 4)

  @Test func everySettingHasItsFlag() {
    #expect(
      texts.evaluation(measurement)
        == "namid evaluate at --checkpoint 3 --attack pgd-2:restarts=3,clean --split train "
        + "--limit 20 --norm l2 --epsilon 0.5 --seed 4")
    let usual = RepeatedMeasurement(run: "at", attacks: "clean", hasOtherData: true)
    #expect(texts.evaluation(usual) == "namid evaluate at --attack clean --dataset …")
    #expect(
      texts.training(configuration: "it's/config.yaml", into: "it's-again")
        == "namid train --config 'it'\\''s/config.yaml' --out 'it'\\''s-again'")
  }

  /// A command that a page shows is one that the tool understands.
  @Test func commandsAreUnderstood() throws {
    let lines =
      [texts.quickstart] + texts.further
      + [texts.evaluation(measurement), texts.training(configuration: "a.yaml", into: "b")]
    for line in lines {
      let words = line.split(separator: " ").dropFirst().map(String.init)
      #expect(throws: Never.self, "\(line)") { _ = try NamidCommand.parseAsRoot(words) }
    }
    let parsed = try NamidCommand.parseAsRoot(
      texts.evaluation(measurement).split(separator: " ").dropFirst().map(String.init))
    let evaluate = try #require(parsed as? Evaluate)
    #expect(evaluate.folders == ["at"] && evaluate.options.norm == Norm.l2)
    #expect(evaluate.options.limit == 20 && evaluate.options.seed == 4)
  }
}
