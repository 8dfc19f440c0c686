import Foundation
import NamidFiles
import NamidSettings
import NamidStatistics
import Testing

@testable import NamidReproduction

@Suite struct ReproduceTableTests {
  /// The table of the small recipe with three seeds; `shares` makes each evaluation's figures from its title.
  private func table(
    seeds: [Int] = [0, 1, 2], only: [String] = [],
    results change: (ExperimentStep) -> StepResult? = { _ in nil },
    shares: @escaping (ExperimentStep) -> [Double]
  ) throws -> TableRecord {
    var (plan, planned) = try ReproduceFixtures.plan(options: .init(seeds: seeds, only: only))
    let catalog = ReproduceFixtures.catalog
    planned.figures = try RecipeFile(catalog.file(of: "table1"), preset: nil).recipe.figures
    var results: [String: StepResult] = [:]
    for step in plan.steps {
      results[step.id] = change(step) ?? .finished(ReproduceFixtures.record(step))
    }
    var builder = TableBuilder(plan, results: results) { step in
      ReproduceFixtures.evaluation(shares(step), dataset: "CIFAR-10 (JPEG copy)")
    }
    return builder.table(planned)
  }

  private func seed(_ step: ExperimentStep) -> Int {
    step.title.contains("seed 0") ? 0 : step.title.contains("seed 1") ? 1 : 2
  }

  @Test func meanDeviationIntervalAndDifferenceAreThoseByHand() throws {
    let table = try table { step in
      let robust = [0.40, 0.44, 0.45][self.seed(step)]
      return [0.8, step.title.contains("best") ? robust + 0.1 : robust]
    }
    let part = try #require(table.parts.first)
    let cell = try #require(part.rows[1]["PGD-40", .latest])
    #expect(cell.state == .measured && cell.why == nil && cell.runs.count == 3)
    // (40 + 44 + 45)/3 = 43; deviations −3, 1, 2: √(14/2) = 2.6458; t(0.975, 2) = 4.303.
    let summary = try #require(cell.summary)
    #expect(abs(summary.mean - 0.43) < 1e-12)
    #expect(abs((summary.standardDeviation ?? 0) - 0.0264575) < 1e-6)
    let half = 4.303 * 0.0264575 / 3.0.squareRoot()
    let interval = try #require(cell.interval)
    #expect(abs(interval.low - (0.43 - half)) < 1e-6 && abs(interval.high - (0.43 + half)) < 1e-6)
    #expect(cell.intervalOver == "seeds")
    // Table 1: NAMID has 44.79 there.
    #expect(cell.paper?.mean == 44.79)
    #expect(abs((cell.difference ?? 0) - (43 - 44.79)) < 1e-9)
    let best = try #require(part.rows[1]["PGD-40", .best])
    #expect(abs((best.summary?.mean ?? 0) - 0.53) < 1e-12)
    #expect(cell.runs[0].file.hasPrefix("steps/evaluate-namid-latest-seed0-"))
    #expect(cell.runs[0].file.hasSuffix("/result.json"))
    #expect(cell.runs[0].specificationHash == "abcd" && cell.runs[0].checkpoint == "epoch 3")
    #expect(cell.runs[0].count == 200)
    #expect(part.dataset == "CIFAR-10 (JPEG copy)")
    #expect(table.differences[0] == "data: CIFAR-10 (JPEG copy), not CIFAR-10 as published")
  }

  @Test func oneSeedHasTheIntervalOfItsImages() throws {
    let cell = try #require(
      try table(seeds: [0]) { _ in [0.8, 0.4] }.parts[0].rows[0]["None", .latest])
    #expect(cell.summary?.count == 1 && cell.summary?.standardDeviation == nil)
    #expect(cell.interval == ConfidenceInterval(0.75, 0.8500000000000001))
    #expect(cell.intervalOver == "images")
  }

  @Test func differencesToTheFirstRowAreTakenImageByImage() throws {
    func withstood(_ bits: [Int], images: String = "x") -> Withstood {
      Withstood(images: images, isRobust: bits.map { $0 == 1 })
    }
    // Ten images: 3 gained, 1 lost. d = 0.2; variance (4/10 − 0.04)/10 = 0.036.
    let own = withstood([1, 1, 1, 0, 1, 1, 0, 0, 0, 0])
    let other = withstood([0, 0, 0, 1, 1, 1, 0, 0, 0, 0])
    let one = try #require(PairedDifference([0: own], minus: [0: other, 1: own], of: "A"))
    #expect(one.gained == 3 && one.lost == 1 && one.seeds == 1 && abs(one.mean - 0.2) < 1e-12)
    let half = ConfidenceInterval.z * 0.036.squareRoot()
    let ends = one.interval
    #expect(abs(ends.low - (0.2 - half)) < 1e-12 && abs(ends.high - (0.2 + half)) < 1e-12)
    // Two seeds, 0.2 and −0.2: mean 0, t(0.975, 1) · 0.2828/√2 = 12.706 · 0.2.
    let two = try #require(
      PairedDifference([0: own, 1: other], minus: [0: other, 1: own], of: "A"))
    let wide = two.interval
    #expect(abs(two.mean) < 1e-12 && abs(wide.high - 12.706 * 0.2) < 1e-9 && two.seeds == 2)
    // Other images are nothing to compare.
    #expect(
      PairedDifference([0: own], minus: [0: withstood([1], images: "y")], of: "A") == nil)
    #expect(PairedDifference([0: own], minus: [1: other], of: "A") == nil)
  }

  @Test func rowsStandAgainstTheFirst() throws {
    let table = try table(seeds: [0]) { _ in [0.8, 0.4] }
    #expect(table.parts[0].rows.allSatisfy { $0.cells.allSatisfy { $0.paired == nil } })
    let (plan, planned) = try ReproduceFixtures.plan(options: .init(seeds: [0]))
    var results: [String: StepResult] = [:]
    for step in plan.steps { results[step.id] = .finished(ReproduceFixtures.record(step)) }
    var builder = TableBuilder(plan, results: results) { step in
      let robust: JSONValue = step.title.contains("NAMID") ? [1, 1, 0, 1] : [1, 0, 0, 1]
      return [
        "dataset": ["name": "C", "fingerprint": "f"], "spec_hash": "h",
        "attacks": .array(
          Array(
            repeating: ["robust_accuracy": 0.5, "total": 4, "samples": ["robust": robust]],
            count: 2)),
      ]
    }
    let rows = builder.table(planned).parts[0].rows
    #expect(rows[0].cells.allSatisfy { $0.paired == nil })
    let cell = try #require(rows[1]["PGD-40", .latest])
    #expect(cell.paired?.row == "Standard" && cell.paired?.mean == 0.25)
    let text = TableText(builder.table(planned))
    #expect(text.text.contains("− Standard") && text.text.contains("+25.0 ["))
    #expect(text.csv.contains(",25.0,"))
  }

  @Test func whatIsMissingIsSaidAndNeverBlank() throws {
    let table = try table(
      results: { step in
        if step.kind == .train, step.title.contains("NAMID"), step.title.contains("seed 1") {
          return .failed(reason: "exit status 1", lines: ["epoch 1", "Error: diverged", "end"])
        }
        if step.title.contains("NAMID"), step.title.contains("seed 1") {
          return .notRun(reason: "not run: needs \"train NAMID\"")
        }
        if step.title.contains("AA") {
          return .failed(reason: "ended by signal 9", lines: ["x", "Error: no memory"])
        }
        if step.title.contains("Standard"), step.kind == .evaluate {
          return .notRun(reason: "not run: interrupted")
        }
        return nil
      }, shares: { _ in [0.8, 0.4] })
    let rows = table.parts[0].rows
    let partial = try #require(rows[1]["PGD-40", .latest])
    #expect(partial.state == .partial && partial.summary?.count == 2)
    #expect(partial.why == "seed 1: not run: needs \"train NAMID\"")
    let failed = try #require(rows[1]["AA", .best])
    #expect(failed.state == .failed && failed.summary == nil && failed.difference == nil)
    #expect(failed.why?.contains("ended by signal 9 (Error: no memory)") == true)
    let waiting = try #require(rows[0]["None", .latest])
    #expect(waiting.state == .notRun && waiting.why?.contains("interrupted") == true)
    let text = TableText(table)
    for words in [text.text, text.markdown, text.latex] {
      #expect(words.contains("failed") && words.contains("not run"), "\(words)")
      #expect(words.contains("seeds missing"))
    }
    #expect(text.text.contains("Not measured, and why:"))
    let lines = text.csv.split(separator: "\n").map { $0.split(separator: ",") }
    #expect(lines.count == 12)
    #expect(text.csv.contains(",failed,") && text.csv.contains(",partial,"))
  }

  /// A network that was not trained because another one failed is a failure of the table's, not a choice.
  @Test func failuresFurtherUpAreFailures() throws {
    let table = try table(
      seeds: [0],
      results: { step in
        if step.kind == .estimators { return .failed(reason: "exit status 1", lines: []) }
        return step.title.contains("NAMID") ? .notRun(reason: "not run: needs \"x\"") : nil
      }, shares: { _ in [0.8, 0.4] })
    #expect(table.parts[0].rows[1]["None", .latest]?.state == .failed)
    #expect(table.parts[0].rows[0]["None", .latest]?.state == .measured)
  }

  @Test func resultsWithoutTheFigureAreFailures() throws {
    let table = try table(seeds: [0]) { _ in [0.8] }
    let cell = try #require(table.parts[0].rows[0]["PGD-40", .latest])
    #expect(cell.state == .failed)
    #expect(cell.why?.contains("has no attack number 2") == true, "\(cell.why ?? "")")
  }

  @Test func textsShowFiguresCheckpointsAndThePaper() throws {
    let table = try table { step in [0.8, [0.40, 0.44, 0.45][self.seed(step)]] }
    let text = TableText(table)
    #expect(text.text.contains("43.0 ± 2.6 (n = 3)"))
    #expect(text.text.contains("44.79 (-1.8)"))
    // A figure of three seeds leads to all three.
    #expect(
      text.markdown.contains("43.0 ± 2.6 (n = 3), seeds [0](steps/evaluate-namid-latest-seed0-"))
    #expect(text.markdown.contains(" [2](steps/evaluate-namid-latest-seed2-"))
    #expect(text.text.contains("data: CIFAR-10 (JPEG copy), not CIFAR-10 as published"))
    #expect(
      text.latex.contains("43.0 $\\pm$ 2.6 (n = 3)") && text.latex.contains("\\begin{tabular}"))
    let header = TableText.csvHeader.split(separator: ",").count
    for line in text.csv.split(separator: "\n") {
      var isQuoted = false
      let commas = line.count { character in
        if character == "\"" { isQuoted.toggle() }
        return character == "," && !isQuoted
      }
      #expect(commas == header - 1)
    }
    #expect(text.csv.contains(",latest,PGD-40,pgd-40,percent,measured,43.0"))
  }

  /// Names come from a file that anybody may have written.
  @Test func namesMeanNothingToMarkdownAndLaTeX() throws {
    var table = try table { _ in [0.8, 0.4] }
    table.title = "<script>alert(1)</script>"
    table.about = "x_1 costs 5 $ & more"
    table.parts[0].rows[0].name = "iii (λ = 0) ^~\\{}|"
    let text = TableText(table)
    #expect(text.markdown.contains("\\<script\\>") && !text.markdown.contains("<script>"))
    #expect(text.markdown.contains("x\\_1 costs 5 \\$ \\& more"))
    #expect(text.markdown.contains("iii (λ = 0) ^\\~\\\\{}\\|"))
    #expect(
      text.latex.contains(
        "iii ($\\lambda$ = 0) $\\hat{\\ }$$\\sim$$\\backslash$\\{\\}$|$ &"))
    #expect(text.latex.contains("$<$script$>$"))
    #expect(text.text.contains("x_1 costs 5 $ & more"))
  }

  @Test func smallestPerturbationsAndInformationAreRead() throws {
    let figures = StepFigures(ReproduceFixtures.evaluation([0.4]), file: "x.json")
    #expect(try figures.figure(.unbounded(attack: 0)).value == 0.2)
    let poc: JSONValue = [
      "offset": -1.5, "setting": ["dataset": ["name": "D", "count": 9]],
      "attacks": [
        [
          "pair": ["mean": 0.5, "ci95": [0.25, 0.75]], "spec_hash": "s", "attack": ["name": "pgd"],
        ]
      ],
    ]
    let pairing = try StepFigures(poc, file: "x").figure(.pairing(attack: 0, key: "pair"))
    #expect(
      pairing.value == 2 && pairing.interval == ConfidenceInterval(1.75, 2.25) && pairing.count == 9
    )
    let compare: JSONValue = [
      "attacks": [
        [
          "readings": [
            [
              "role": "eq5", "spec_hash": "r",
              "natural": [
                "offset": ["lowest": -1, "clean": 3, "attacked": 2],
                "summary": ["clean": ["mean": 2, "ci95": [1.5, 2.5]]],
              ],
            ]
          ]
        ]
      ]
    ]
    let reading = try StepFigures(compare, file: "x").figure(
      .estimate(attack: 0, role: "eq5", kind: "natural", images: "clean"))
    #expect(
      reading.value == 3 && reading.interval == ConfidenceInterval(2.5, 3.5) && reading.hash == "r")
    #expect(throws: MissingFigure.self) {
      try StepFigures(compare, file: "x").figure(
        .estimate(attack: 0, role: "eq4", kind: "natural", images: "clean"))
    }
  }

  @Test func recordsReadBack() throws {
    let table = try table { _ in [0.8, 0.4] }
    let plan = try ReproduceFixtures.plan().plan
    let record = ReproductionRecord(
      command: "namid reproduce", version: "1", machine: "m", written: "w", isInterrupted: false,
      tables: [table],
      steps: plan.steps.map { StepOutcome($0, .finished(ReproduceFixtures.record($0))) })
    let tree = try JSONValue(encoding: record)
    #expect(tree["format"] == "namid-reproduction/2")
    let again: ReproductionRecord = try JSONValue(parsing: tree.data()).decode()
    #expect(try JSONValue(encoding: again) == tree)
    #expect(again.steps[0].product?.hasSuffix("/run") == true)
  }
}
