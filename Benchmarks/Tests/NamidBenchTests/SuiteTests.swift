import Foundation
import Namid
import Testing

@testable import NamidBench

/// The parts of the suite that measure nothing.
@Suite struct SuiteTests {
  // MARK: What programs say

  @Test func messagesAreRead() throws {
    let ready = try PeerLine.parse(
      #"{"ready": {"attacked_loss": 2.5, "size": 3, "training_loss": NaN0}, "versions": {}}"#
        .replacing("NaN0", with: "null"))
    #expect(ready == .ready(facts: ["attacked_loss": 2.5, "size": 3], versions: [:]))
    let versions = try PeerLine.parse(#" {"ready": {}, "versions": {"torch": "2.13.0+cpu"}}"#)
    #expect(versions == .ready(facts: [:], versions: ["torch": "2.13.0+cpu"]))
    let measured = try PeerLine.parse(#"{"seconds": 0.25, "peak_bytes": 1048576}"#)
    #expect(measured == .measurement(seconds: 0.25, peakBytes: 1_048_576))
    #expect(
      try PeerLine.parse(#"{"seconds": 1, "peak_bytes": null}"#)
        == .measurement(seconds: 1, peakBytes: nil))
  }

  @Test(arguments: ["", "  ", "Downloading ...", "[1, 2]", "100%|████| 3/3"])
  func whatLibrariesPrintIsPassedOver(line: String) throws {
    #expect(try PeerLine.parse(line) == .chatter)
  }

  @Test(arguments: [
    (#"{"seconds": 1.5"#, "is not JSON"), (#"{"seconds": NaN}"#, "is not JSON"),
    (#"{"second": 1.5}"#, "neither"), (#"{"seconds": "1.5"}"#, "neither"),
    (#"{"seconds": 0}"#, "says 0"), (#"{"seconds": -2}"#, "says -2"),
    (#"{"ready": true}"#, "no object"), ("{}", "neither"),
  ])
  func brokenMessagesAreRefused(line: String, said: String) {
    do {
      let message = try PeerLine.parse(line)
      Issue.record("\(message)")
    } catch {
      #expect(error.description.contains(said), "\(error)")
      #expect(error.description.contains(line))
    }
  }

  // MARK: Numbers

  @Test func medianIsTheMiddle() {
    #expect(Spread([]) == nil)
    #expect(Spread([3])?.median == 3)
    let odd = Spread([9, 1, 5])
    #expect(odd?.median == 5 && odd?.lowest == 1 && odd?.highest == 9)
    #expect(Spread([4, 1, 3, 2])?.median == 2.5)
  }

  @Test func ratiosAreTakenWithinRounds() {
    // The machine was ten times slower in the second round, for both: the ratio is 2 in each.
    let slowed = Spread.ratios(of: [2, 20, 2], over: [1, 10, 1])
    #expect(slowed?.median == 2 && slowed?.lowest == 2 && slowed?.highest == 2)
    let gaps = Spread.ratios(of: [2, nil, 6], over: [1, 1, 2])
    #expect(gaps?.lowest == 2 && gaps?.highest == 3 && gaps?.median == 2.5)
    #expect(Spread.ratios(of: [nil, 4], over: [2, nil]) == nil)
    #expect(Spread.ratios(of: [1], over: [0]) == nil)
  }

  @Test func operationsAreCounted() {
    // Counted by PyTorch's own counter of operations on the same networks.
    let counted: [(work: ResNetWork, operations: Double)] = [
      (ResNetWork(width: 64), 1_110_845_440), (ResNetWork(width: 16), 70_093_312),
      (ResNetWork(width: 64, padding: 0), 1_041_341_952),
      (ResNetWork(width: 8, size: 64), 70_976_768),
    ]
    for (work, operations) in counted {
      #expect(work.forward == operations)
      #expect(work.attackGradient == 2 * operations)
    }
  }

  // MARK: The plan

  @Test func itemsAreChosenByName() throws {
    #expect(try SuiteSettings.items("memory, pgd10-w16") == [.pgd10Narrow, .memory])
    for (text, said) in [
      ("pgd10-w17", "did you mean"), ("", "matmul"), ("x,data", "no item \"x\""),
    ] {
      do {
        _ = try SuiteSettings.items(text)
        Issue.record("\(text) is accepted")
      } catch {
        #expect(error.description.contains(said), "\(error)")
      }
    }
  }

  @Test func everyComparisonHasBothSides() {
    let plan = SuitePlan(SuiteSettings(threads: 2), inputs: "/inputs")
    #expect(Set(plan.cases.map(\.item)) == Set(SuiteItem.allCases))
    #expect(Set(plan.cases.map(\.name)).count == plan.cases.count)
    for each in plan.cases {
      #expect(each.contestants.first?.isOurs == true, "\(each.name)")
      #expect(each.contestants.contains { !$0.isOurs }, "\(each.name)")
      #expect(Set(each.contestants.map(\.name)).count == each.contestants.count, "\(each.name)")
    }
    // A target that names no program would never be looked at.
    for target in SuiteTarget.all {
      let found = plan.cases.first { $0.name == target.caseName }
      #expect(found?.contestants.contains { $0.kind == target.kind } == true, "\(target)")
    }
  }

  @Test func bothSidesGetTheSameWork() throws {
    let plan = SuitePlan(SuiteSettings(threads: 3), inputs: "/inputs")
    let shared = ["--network", "--batch", "--batch-size", "--count", "--threads", "--attack-steps"]
    for each in plan.cases where each.mode == .served && each.quantity == .seconds {
      let values = each.contestants.map { contestant in
        shared.map { flag -> String? in
          let place = contestant.arguments.firstIndex(of: flag)
          return place.map { contestant.arguments[$0 + 1] }
        }
      }
      #expect(Set(values).count == 1, "\(each.name): \(values)")
      #expect(values[0][4] == "3")
    }
    let narrow = try #require(plan.cases.first)
    #expect(narrow.images == 3 * 128)
    let quick = SuitePlan(SuiteSettings(isQuick: true, threads: 2), inputs: "/inputs")
    #expect(quick.cases.first?.images == 8)
  }

  @Test func peersCanBeLeftOut() {
    let plan = SuitePlan(SuiteSettings(threads: 2, hasPeers: false), inputs: "/inputs")
    let all = SuitePlan(SuiteSettings(threads: 2), inputs: "/inputs")
    #expect(plan.cases.map(\.contestants) == all.cases.map(\.ours))
    #expect(SuiteTables.targets(plan.cases.map { CaseResult($0) }) == nil)
  }

  @Test func programsTakeTurns() throws {
    let each = try #require(SuitePlan(SuiteSettings(threads: 2), inputs: "").cases.first)
    let count = each.contestants.count
    #expect(each.order(round: 0) == Array(0..<count))
    #expect(each.order(round: 1) == Array((0..<count).reversed()))
    #expect(each.order(round: 2) == each.order(round: 0))
  }

  // MARK: The report

  private func result(_ values: [String: [Double?]], failure: String? = nil) throws -> CaseResult {
    let plan = SuitePlan(SuiteSettings(threads: 2), inputs: "/inputs")
    var result = CaseResult(try #require(plan.cases.first))
    for place in result.results.indices {
      result.results[place].values = values[result.results[place].contestant.name] ?? []
    }
    result.results[2].failure = failure
    return result
  }

  private func report(_ cases: [CaseResult]) -> SuiteReport {
    let machine = SuiteMachine(
      processor: "Some CPU", cores: 2, memoryBytes: 8e9, system: "Linux", threads: 2, load: 0.1,
      libtorch: "2.13.0", capability: "AVX512", commit: nil, date: "2026-11-22T20:00:00Z")
    return SuiteReport(machine: machine, settings: SuiteSettings(threads: 2), cases: cases)
  }

  @Test func tableHasMediansAndRatios() throws {
    let sample = try result([
      "namid bfloat16": [0.384, 0.768, 0.384], "namid float32": [0.768, 0.768, 0.768],
      "eager": [1.152, 2.304, 1.536], "expert": [0.576, 0.96, 0.576],
      "expert, torch.compile": [0.48, 0.96, 0.48],
    ])
    let text = report([sample]).text
    // 0.384 s for 384 images.
    #expect(text.contains("1.00 (1.00–2.00)"), "\(text)")
    #expect(text.contains("4.00 (3.00–6.00)"), "\(text)")
    // Eager over bfloat16: 3, 3 and 4.
    #expect(text.contains("3.00 (3.00–4.00)"), "\(text)")
    #expect(text.contains("over namid float32"))
    // The better variant of the expert counts, and it does not reach 1.35.
    #expect(sample.ratio(over: "expert")?.median == 1.25)
    let asked = text.split(separator: "\n").filter { $0.hasPrefix("pgd10-w16 ") }
    #expect(asked.contains { $0.contains("expert") && $0.hasSuffix("no") }, "\(text)")
    #expect(asked.contains { $0.contains("eager") && $0.hasSuffix("yes") }, "\(text)")
    #expect(report([sample]).markdown.contains("| eager"))
  }

  @Test func failuresAreShownAndTheRestStands() throws {
    let sample = try result(
      ["namid bfloat16": [1, 1], "eager": [nil, nil], "torchattacks": [3, 3]],
      failure: "it ended with status 1: out of memory")
    let report = report([sample])
    #expect(report.text.contains("failed"))
    #expect(report.text.contains("eager failed: it ended with status 1: out of memory"))
    #expect(report.markdown.contains("## Problems"))
    #expect(sample.ratio(over: "eager") == nil)
    #expect(sample.ratio(over: "torchattacks")?.median == 3)
  }

  @Test func otherWorkIsNamed() throws {
    var sample = try result([:])
    for (place, loss) in [2.51, 2.5, 2.52, 4.0].enumerated() {
      sample.results[place].facts = ["attacked_loss": loss, "size": Double(place)]
    }
    #expect(sample.disagreements.map(\.name) == ["torchattacks"])
    #expect(report([sample]).problems.contains { $0.contains("not do the same work") })
  }

  @Test func attacksAreHeldAgainstTheMachine() throws {
    let plan = SuitePlan(SuiteSettings(items: [.matmul], threads: 2), inputs: "/inputs")
    var cases = plan.cases.map { CaseResult($0) }
    // The peer's product is the faster one, and the machine's best is what counts: 200 GFLOP/s.
    cases[1].results[0].values = [10, 10]
    cases[1].results[1].values = [5, 8]
    let operations = try #require(cases[3].results[0].contestant.operations)
    #expect(operations == 10 * 2 * 1_110_845_440 * 64)
    cases[3].results[0].values = [operations / 1.5e11]
    let shares = SuiteTables.shares(cases)
    #expect(shares.count == 1 && shares[0].width == 64)
    #expect(abs(shares[0].share - 0.75) < 1e-12)
    let text = report(cases).text
    #expect(text.contains("75 %") && text.contains("200"), "\(text)")
  }

  @Test func jsonHoldsEveryValue() throws {
    let sample = try result(["namid bfloat16": [1, nil], "eager": [3, 4]])
    let tree = try JSONValue(parsing: report([sample]).json.text())
    let programs = try #require(tree["cases"]?.arrayValue?.first?["programs"]?.arrayValue)
    #expect(programs[0]["values"]?.arrayValue?.map(\.doubleValue) == [1, nil])
    #expect(programs[2]["values"]?.arrayValue?.count == 2)
    #expect(programs[2]["ratios"]?["namid bfloat16"]?["median"]?.doubleValue == 3)
    #expect(tree["machine"]?["commit"] == .null)
    #expect(tree["settings"]?["items"]?.arrayValue?.count == SuiteItem.allCases.count)
  }

  // MARK: Programs

  private func shell(_ script: String) throws -> PeerProcess {
    try PeerProcess(
      .init(executable: URL(filePath: "/bin/sh"), arguments: ["-c", script]))
  }

  @Test func programsAreAskedOneMeasurementAtATime() throws {
    let process = try shell(
      """
      echo loading; echo '{"ready": {"loss": 1}}'
      while read line; do echo '{"seconds": 2, "peak_bytes": 3}'; done
      """)
    defer { process.close() }
    #expect(try process.ready(within: .seconds(20)).facts == ["loss": 1])
    for _ in 0..<2 {
      let found = try process.measure(within: .seconds(20))
      #expect(found.seconds == 2 && found.peakBytes == 3)
    }
  }

  @Test(arguments: [
    ("echo 'no such module' >&2; exit 3", "status 3: no such module"),
    (#"echo '{"ready"'; cat"#, "is not JSON"),
    (#"echo '{"seconds": 1}'; cat"#, "before it was ready"),
    ("exec sleep 60", "in time"),
  ])
  func programsThatGoWrongAreNamed(script: String, said: String) throws {
    let process = try shell("exec 3<&0; \(script)")
    defer { process.close() }
    do {
      _ = try process.ready(within: .seconds(script.contains("sleep") ? 1 : 20))
      Issue.record("\(script) is ready")
    } catch {
      #expect("\(error)".contains(said), "\(error)")
    }
  }
}
