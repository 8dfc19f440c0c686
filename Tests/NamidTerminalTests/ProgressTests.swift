import Foundation
import Testing

@testable import NamidTerminal

@Suite struct ProgressTests {
  private let moment = ProgressSnapshot(
    title: "epoch 3/14", completed: 304, total: 390, elapsed: 41.2,
    notes: [("loss", "1.482"), ("cos_n", "0.31")])

  @Test func theLineReadsAsPromised() {
    #expect(
      moment.line(columns: 120)
        == "epoch 3/14  78%|███████▊  | 304/390 [00:41<00:11, 7.4 it/s] loss 1.482 cos_n 0.31")
    #expect(
      moment.plainLine
        == "epoch 3/14  78% 304/390 [00:41<00:11, 7.4 it/s] loss 1.482 cos_n 0.31")
  }

  @Test func narrowTerminalsLoseNotesThenTheBarThenTheEnd() {
    let line = { moment.line(columns: $0) }
    let full = "epoch 3/14  78%|███████▊  | 304/390 [00:41<00:11, 7.4 it/s] loss 1.482 cos_n 0.31"
    #expect(line(displayWidth(full)) == full)
    #expect(
      line(displayWidth(full) - 1)
        == "epoch 3/14  78%|███████▊  | 304/390 [00:41<00:11, 7.4 it/s] loss 1.482")
    #expect(line(60) == "epoch 3/14  78%|███████▊  | 304/390 [00:41<00:11, 7.4 it/s]")
    #expect(line(50) == "epoch 3/14  78% 304/390 [00:41<00:11, 7.4 it/s]")
    #expect(line(20) == "epoch 3/14  78% 304…")
    #expect((0...90).allSatisfy { displayWidth(line($0)) <= $0 })
  }

  private static let extremes: [(Int, Int, Double, String)] = [
    (0, 4, 0.0, "x   0%|          | 0/4 [00:00<?, ? it/s]"),
    (0, 4, 3.0, "x   0%|          | 0/4 [00:03<?, ? it/s]"),
    (1, 4, 10.0, "x  25%|██▌       | 1/4 [00:10<00:30, 10.0 s/it]"),
    (999, 1000, 1.0, "x  99%|█████████▉| 999/1000 [00:01<00:00, 999 it/s]"),
    (4, 4, 8000.0, "x 100%|██████████| 4/4 [2h13m<00:00, 2000.0 s/it]"),
    (5, 4, 1.0, "x 100%|██████████| 5/4 [00:01<00:00, 5.0 it/s]"),
  ]

  @Test(arguments: extremes)
  func extremesReadWell(completed: Int, total: Int, elapsed: Double, expected: String) {
    let moment = ProgressSnapshot(title: "x", completed: completed, total: total, elapsed: elapsed)
    #expect(moment.line(columns: 100) == expected)
  }

  @Test func anUnknownTotalIsNotInvented() {
    for total in [nil, 0] {
      let moment = ProgressSnapshot(
        title: "fetch", completed: 7, total: total, elapsed: 2, unit: "MB")
      #expect(moment.line(columns: 100) == "fetch 7 MB [00:02, 3.5 MB/s]")
    }
  }

  @Test func onlyTheBarIsColoured() {
    let colored = moment.line(columns: 120, color: true)
    #expect(colored.contains("|\u{1B}[36m███████▊  \u{1B}[0m|"))
    let plain = colored.replacing("\u{1B}[36m", with: "").replacing("\u{1B}[0m", with: "")
    #expect(plain == moment.line(columns: 120))
  }

  /// A screen that remembers, and a clock that is set by hand.
  private final class Fake {
    var written = ""
    var time = 100.0
    var columns = 81

    func progress(_ style: ProgressLine.Style) -> ProgressLine {
      ProgressLine(
        "x", total: 10, unit: "it", style: style,
        screen: .init(
          write: { self.written += $0 }, columns: { self.columns }, now: { self.time },
          color: false))
    }

    func flush() -> String {
      defer { written = "" }
      return written
    }
  }

  @Test func theLineIsRedrawnAtMostTenTimesASecondAndCleared() {
    let fake = Fake()
    let progress = fake.progress(.redrawn)
    #expect(fake.flush() == "")
    progress.update(1)
    #expect(fake.flush() == "\rx  10%|█         | 1/10 [00:00<?, ? it/s]\u{1B}[K")
    fake.time += 0.09
    progress.update(2)
    #expect(fake.flush() == "")
    fake.time += 0.02
    progress.update(3)
    #expect(fake.flush().hasPrefix("\rx  30%|"))
    progress.finish()
    #expect(fake.flush() == "\r\u{1B}[K")
    progress.finish()
    #expect(fake.flush() == "")
  }

  @Test func theWidthIsAskedEachTime() {
    let fake = Fake()
    let progress = fake.progress(.redrawn)
    progress.update(1)
    _ = fake.flush()
    fake.time += 1
    fake.columns = 6
    progress.update(2)
    #expect(fake.flush() == "\rx  2…\u{1B}[K")
  }

  @Test func logsGetALineNowAndThen() {
    let fake = Fake()
    let progress = fake.progress(.lines(every: 30))
    for second in 1...100 {
      fake.time += 1
      progress.update(second / 20, notes: [("loss", "1")])
    }
    progress.finish()
    #expect(
      fake.flush() == """
        x  10% 1/10 [00:30<04:30, 30.0 s/it] loss 1
        x  30% 3/10 [01:00<02:20, 20.0 s/it] loss 1
        x  40% 4/10 [01:30<02:15, 22.5 s/it] loss 1

        """)
  }

  @Test func environmentIsRespected() {
    let interactive = { Terminal.isInteractive(isTerminal: $0, environment: $1) }
    let colors = { Terminal.usesColor(isTerminal: $0, environment: $1) }
    #expect(interactive(true, ["TERM": "xterm"]) && colors(true, ["TERM": "xterm"]))
    #expect(!interactive(true, ["TERM": "dumb"]) && !colors(true, ["TERM": "dumb"]))
    #expect(!interactive(false, [:]) && !colors(false, [:]))
    #expect(!colors(true, ["NO_COLOR": "0"]) && colors(true, ["NO_COLOR": ""]))
  }

  private static let spans: [(Double, String)] = [
    (0.0, "00:00"), (59.9, "00:59"), (221, "03:41"), (3599, "59:59"), (3720, "1h02m"),
    (86399, "23h59m"), (183_600, "2d03h"), (-1, "--:--"), (.nan, "--:--"),
    (.infinity, "--:--"), (1e300, "--:--"),
  ]

  @Test(arguments: spans)
  func durations(seconds: Double, expected: String) {
    #expect(durationText(seconds: seconds) == expected)
  }

  private static let values: [(Double, String)] = [
    (1.48213, "1.482"), (0.31, "0.31"), (2.1e-5, "2.1e-05"), (12345.6, "1.235e+04"), (3, "3"),
    (.nan, "nan"),
  ]

  @Test(arguments: values)
  func numbers(value: Double, expected: String) {
    #expect(shortNumber(value) == expected)
  }
}
