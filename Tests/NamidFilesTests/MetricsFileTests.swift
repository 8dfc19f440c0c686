import Foundation
import NamidTestSupport
import Testing
@testable import NamidFiles

@Suite struct MetricsFileTests {
  private func withFile(_ content: String, _ body: (URL) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "metrics.jsonl")
      try Data(content.utf8).write(to: url)
      try body(url)
    }
  }

  @Test func eachLineIsThereAtOnce() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "metrics.jsonl")
      let metrics = try MetricsFile(url: url)
      try metrics.append(step: 1, ["loss": 1.5, "epoch": 0, "split": "train"])
      #expect(try text(of: url) == #"{"step":1,"loss":1.5,"epoch":0,"split":"train"}"# + "\n")
      try metrics.append(step: 2, ["loss": .double(.nan), "step": 7, "dv": .double(-.infinity)])
      try metrics.synchronize()
      let lines = try MetricsFile.read(url)
      #expect(lines.count == 2)
      #expect(lines[1] == ["step": 2, "loss": "nan", "dv": "-inf"])
      #expect(lines[1].keys == ["step", "loss", "dv"])
    }
  }

  @Test func aNewRunDoesNotTouchAnOldFile() throws {
    try withFile("{\"step\":1}\n") { url in
      let refusal = message { _ = try MetricsFile(url: url) }
      #expect(
        refusal == "\(url.path) already exists: resume that run or choose another folder")
      let content = try text(of: url)
      #expect(content == "{\"step\":1}\n")
    }
  }

  @Test(arguments: [
    (0, ""),
    (1, "{\"step\":1}\n"),
    (2, "{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"a\":1}\n"),
    (5, "{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"a\":1}\n{\"step\":3}\n"),
  ])
  func resumingCutsWhatLiesBeyond(step: Int, kept: String) throws {
    let full = "{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"a\":1}\n{\"step\":3}\n{\"step\":4,\"lo"
    try withFile(full) { url in
      let metrics = try MetricsFile(url: url, resumingAfter: step)
      #expect(try text(of: url) == kept)
      try metrics.append(step: step + 1, [:])
      #expect(try text(of: url) == kept + "{\"step\":\(step + 1)}\n")
    }
  }

  @Test func aLineThatLacksOnlyItsEndIsCompleted() throws {
    try withFile("{\"step\":1}\n{\"step\":2}") { url in
      try MetricsFile(url: url, resumingAfter: 2).append(step: 3, [:])
      #expect(try text(of: url) == "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n")
    }
  }

  @Test func resumingWithoutAFileStartsOne() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "metrics.jsonl")
      try MetricsFile(url: url, resumingAfter: 7).append(step: 8, [:])
      #expect(try text(of: url) == "{\"step\":8}\n")
    }
  }

  @Test(arguments: [
    ("{\"step\":1}\nnonsense\n{\"step\":2}\n", "expected a value, found \"n\""),
    ("{\"step\":1}\n{\"loss\":1}\n", "expected an object with an integer \"step\""),
    ("{\"step\":1}\n[1]\n", "expected an object with an integer \"step\""),
    ("{\"step\":1}\n\n", "expected a value, found the end"),
  ])
  func foreignLinesAreNamedAndKept(content: String, reason: String) throws {
    try withFile(content) { url in
      let error = MetricsError.badLine(path: url.path, line: 2, reason: reason)
      #expect(throws: error) { try MetricsFile(url: url, resumingAfter: 1) }
      #expect(throws: error) { try MetricsFile.read(url) }
      let left = try text(of: url)
      #expect(left == content)
    }
  }
}
