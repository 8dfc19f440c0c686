import Foundation
import NamidAttacks
import NamidFiles
import NamidSettings
import NamidStatistics
import NamidTestSupport
import Testing

@testable import NamidEvaluation
@testable import NamidPages
@testable import NamidReports
@testable import NamidReproduction

@Suite struct RunReportTests {
  private func evaluation(
    _ name: String, images: String = "aa", attacks: [(name: String, robust: Int)], seed: Int = 0
  ) throws -> StoredEvaluation {
    let report = try EvaluationReport(
      dataset: .init(name: "Made up", split: "test", count: 200, fingerprint: images),
      model: .init(
        name: name, architecture: "small-cnn", parameters: 1, checkpoint: "epoch 2",
        fingerprint: name),
      threat: ThreatModel(norm: .linf, epsilon: Fraction(8, over: 255)), cleanAccuracy: 0.9,
      attacks: attacks.map {
        AttackReport(
          name: $0.name, robust: $0.robust, total: 200,
          cost: Cost(forwards: 400, backwards: 200, queries: 0), seconds: 2, settings: [:])
      }, seed: seed)
    return StoredEvaluation(URL(filePath: "/x/\(name).json"), report)
  }

  @Test func evaluationsOnTheSameImagesShareAPart() throws {
    let table = try #require(
      EvaluationTables([
        try evaluation("a", attacks: [("clean", 180), ("pgd-20", 100), ("pgd-20", 90)]),
        try evaluation("b", images: "bb", attacks: [("clean", 10)]),
        try evaluation("c", attacks: [("clean", 160), ("fwa-10", 40)]),
      ]).table)
    #expect(
      table.parts.map { $0.rows.map(\.name) } == [["a, epoch 2", "c, epoch 2"], ["b, epoch 2"]])
    let part = table.parts[0]
    #expect(part.columns.map(\.name) == ["clean", "pgd-20", "pgd-20#2", "fwa-10"])
    #expect(part.rows[0]["pgd-20#2", .latest]?.summary?.mean == 0.45)
    // What was not measured is said, not left out.
    #expect(part.rows[1]["pgd-20", .latest]?.text(.share) == "not run")
    let wilson = Share(100, of: 200).interval
    #expect(part.rows[0]["pgd-20", .latest]?.interval == wilson)
    let text = TableText(table).text
    #expect(!text.contains("last") && text.contains("200 test images: Made up, linf ε 8/255"))
    #expect(EvaluationTables([]).table == nil)
  }

  /// A file may say anything.
  @Test func figuresThatCannotBeAreNotShown() throws {
    let url = URL(filePath: "/x/a.json")
    let tree = try JSONValue(encoding: try evaluation("a", attacks: [("pgd-20", 100)]).report)
    #expect(try StoredEvaluation(url, tree).report.attacks[0].robust == 100)
    for (key, value) in [
      ("ci95", []), ("ci95", [0.5]), ("forwards", .int(.max)), ("seconds", -1),
    ] as [(String, JSONValue)] {
      var object = try #require(tree.objectValue)
      var attack = try #require(object["attacks"]?.arrayValue?[0].objectValue)
      attack[key] = value
      object["attacks"] = [.object(attack)]
      #expect(throws: (any Error).self, "\(key)") { try StoredEvaluation(url, .object(object)) }
    }
  }

  /// Without the last checkpoint the best one stands beside the paper's figures.
  @Test func theCheckpointThatIsThereIsCompared() throws {
    var best = CellRecord(column: "PGD", checkpoint: .best, state: .measured, runs: [])
    best.summary = SampleSummary([0.5])
    best.paper = PaperFigure("44.79")
    var part = PartRecord(
      name: "P", dataset: "D", norm: "linf", epsilon: "8/255", unit: .share, hasCheckpoints: true,
      columns: [.init(name: "PGD", attack: "pgd-40")],
      rows: [RowRecord(name: "NAMID", defense: "namid", cells: [best])])
    func shown() -> (paper: Bool, caption: String?) {
      let table = TableRecord(
        name: "t", title: "T", about: "", paper: "t", differences: [], parts: [part])
      let blocks = TableSection(table: table, link: { $0 }).section.blocks
      guard case .table(let grid) = blocks[0], case .chart(let chart) = blocks[1] else {
        return (false, nil)
      }
      return (grid.rows.joined().contains { $0.notes.contains("paper 44.79") }, chart.caption)
    }
    #expect(shown().paper && shown().caption?.hasPrefix("Best checkpoint.") == true)
    var last = best
    last.checkpoint = .latest
    last.summary = SampleSummary([0.25])
    part.rows[0].cells = [best, last]
    #expect(part.compared == .latest && shown().caption?.hasPrefix("Last checkpoint.") == true)
    #expect(
      TableText(
        TableRecord(
          name: "t", title: "T", about: "", paper: "t", differences: [], parts: [part])
      ).text.contains("25.0"))
  }

  @Test func aCellHasItsFigureItsSpreadThePapersFigureAndItsFile() throws {
    var cell = CellRecord(column: "PGD", checkpoint: .latest, state: .measured, runs: [])
    cell.summary = SampleSummary([0.40, 0.44, 0.45])
    cell.runs = [
      .init(seed: 0, value: 0.4, file: "steps/a b/result.json", flags: ["zero-gradient"])
    ]
    cell.paper = PaperFigure("44.79")
    cell.difference = 43 - 44.79
    var missing = CellRecord(column: "AA", checkpoint: .latest, state: .failed, runs: [])
    missing.why = "seed 0: no room"
    let part = PartRecord(
      name: "P", dataset: "D", norm: "linf", epsilon: "8/255", unit: .share, hasCheckpoints: true,
      columns: [.init(name: "PGD", attack: "pgd-40"), .init(name: "AA", attack: "aa", limit: 9)],
      rows: [RowRecord(name: "NAMID", defense: "namid", cells: [cell, missing])])
    let table = TableRecord(
      name: "figure5", title: "T", about: "", paper: "figure5", differences: ["epochs: 1"],
      parts: [part])
    let section = TableSection(table: table) { "up/\($0)" }.section
    guard case .table(let grid) = section.blocks[0] else {
      Issue.record("no table")
      return
    }
    #expect(grid.header == ["network", "checkpoint", "PGD", "AA (9)"])
    let row = try #require(grid.rows.first)
    #expect(grid.rows.count == 1 && row[0].text == "NAMID" && row[1].text == "last")
    #expect(row[2].text == "43.0 !" && row[2].notes == ["± 2.6 (n = 3)", "paper 44.79 (-1.8)"])
    #expect(row[2].link == "up/steps/a b/result.json" && row[2].value == 0.43)
    #expect(row[3].text == "failed" && row[3].link == nil && row[3].value == nil)
    let lists = section.blocks.compactMap { block -> [String]? in
      if case .list(_, let items) = block { items } else { nil }
    }
    #expect(lists == [["seed 0: no room: NAMID"], ["zero-gradient: NAMID"], ["epochs: 1"]])
    // One of the paper's figures: bars by attack, the paper's beside them.
    let charts = section.blocks.compactMap { block -> Chart? in
      if case .chart(let chart) = block { chart } else { nil }
    }
    #expect(charts.map(\.title) == ["Here: P", "The paper: P"])
    guard case .bar(let categories, let series) = charts[0].content else { return }
    #expect(categories == ["PGD", "AA"] && series.map(\.name) == ["NAMID"])
    #expect(series[0].values[0] == 43 && series[0].values[1].isNaN)
  }

  @Test func addressesAreRelativeAndEscaped() {
    let at = { RelativeAddress.of(URL(filePath: $0), from: URL(filePath: $1)) }
    #expect(at("/a/b/c d.json", "/a/b") == "c%20d.json")
    #expect(at("/a/x/c.json", "/a/b/d") == "../../x/c.json")
    #expect(at("/a/b/s:1/#q?.json", "/a/b") == "s%3A1/%23q%3F.json")
  }

  @Test func samplesAreGroupedByAttackAndEstimators() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "s.csv")
      try Data(
        """
        attack,estimators,index,natural_clean,natural_attacked,spec
        "pgd,2",eq4,0,0.5,0.25,x
        "pgd,2",eq4,1,0.75,-1e-3,x
        "pgd,2","e""q",0,1,2,x
        cut,eq
        """.utf8
      ).write(to: file)
      let groups = try SampleColumns(file).groups
      #expect(groups.map(\.facts) == [["pgd,2", "eq4"], ["pgd,2", "e\"q"]])
      #expect(groups[0].values["natural_clean"] == [0.5, 0.75])
      #expect(groups[0].values["natural_attacked"] == [0.25, -1e-3])
      var said: [String] = []
      let section = { (samples: URL) in
        InformationDistributions(sources: [("N", samples)], say: { said.append($0) }).section
      }
      #expect(section(file)?.blocks.count == 3)
      #expect(said == [])
      #expect(section(folder) == nil)
      #expect(said.count == 1 && said[0].hasPrefix("left out: ") && said[0].contains(" of N: "))
    }
  }

  @Test func costsAreCountedPerImage() throws {
    let stored = try evaluation("a", attacks: [("clean", 180), ("pgd-20", 100)])
    let section = try #require(
      CostLedger(measurements: [
        Measurement(network: "a", link: "a.json", report: stored.report)
      ]).section)
    guard case .paragraph(let words) = section.blocks[0], case .table(let table) = section.blocks[1]
    else {
      Issue.record("other blocks")
      return
    }
    #expect(words.contains("800 forward") && words.contains("400 backward"))
    #expect(words.contains("00:04"))
    #expect(
      table.rows[1].map(\.text)
        == ["a", "pgd-20", "200", "50.0 %", "2.0", "1.0", "0.0", "2.0", "10.0"])
    #expect(table.rows[1][3].link == "a.json")
  }

  @Test func curvesAreGroupedByWhatMayBeCompared() throws {
    try withTemporaryFolder { folder in
      for (name, lines) in [
        ("a", 2), ("b", 2), ("one", 1),
      ] {
        let run = folder.appending(path: name)
        try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
        let text = (1...lines).map {
          "{\"step\": \($0), \"epoch\": \($0), \"train/loss\": 1.5, \"validation/pgd_10_accuracy\": 0.25}\n"
        }.joined()
        try Data(text.utf8).write(to: run.appending(path: "metrics.jsonl"))
      }
      let histories = ["a", "b", "none"].compactMap {
        TrainingHistory(run: folder.appending(path: $0), named: $0, say: { _ in })
      }
      #expect(histories.count == 2 && histories[0].group == "estimators")
      let section = try #require(TrainingCurves(histories: histories).section)
      let charts = section.blocks.compactMap { block -> Chart? in
        if case .chart(let chart) = block { chart } else { nil }
      }
      #expect(
        charts.map(\.title) == ["Validation, PGD-10: estimators", "Training loss: estimators"])
      guard case .line(let series) = charts[0].content else { return }
      #expect(series.map(\.name) == ["a", "b"] && series[0].points.map(\.y) == [25, 25])
      var said: [String] = []
      try Data("{\n".utf8).write(to: folder.appending(path: "one/metrics.jsonl"))
      #expect(
        TrainingHistory(run: folder.appending(path: "one"), named: "one") { said.append($0) } == nil
      )
      #expect(said.count == 1 && said[0].hasPrefix("left out: the curves of one: "))
      try Data("{\"step\": 1, \"epoch\": 1, \"train/loss\": 1.5}\n".utf8)
        .write(to: folder.appending(path: "one/metrics.jsonl"))
      let single = try #require(
        TrainingHistory(run: folder.appending(path: "one"), named: "one", say: { _ in }))
      #expect(TrainingCurves(histories: [single]).section == nil)
    }
  }
}
