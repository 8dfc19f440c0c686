#if os(Linux)
  import Foundation
  import NamidFiles
  import NamidTestSupport
  import Testing

  /// The tool where the system gives it no more memory: one line, a status, and where it can an end all the same.
  @Suite(.serialized, .enabled(if: Tool.isBuilt)) struct OutOfMemoryTests {
    // Images so large that a batch of them is what takes the memory.
    private let imageSize = 512
    private let settings = [
      "model.width=2", "data.validation=6", "attack.steps=2", "training.validationSteps=0",
      "optimizer.learningRate=0.01",
    ]

    // Every thread may have an arena of its own, 64 MB of address space or more: with one of each, figures repeat.
    private let alone = "export OMP_NUM_THREADS=1 MALLOC_ARENA_MAX=1"

    private func training(_ run: String, batchSize: Int) -> [String] {
      [
        "train", "--out", run, "--dataset", "folder:images", "--model", "small-cnn", "--epsilon",
        "1/50", "--epochs", "1", "--set", "training.batchSize=\(batchSize)",
      ] + settings.flatMap { ["--set", $0] }
    }

    private func evaluation(_ json: String) -> [String] {
      ["evaluate", "run", "--attack", "pgd-3", "--json", json]
    }

    /// A trained run, and a bash command that leaves a process some MB more than an evaluation of single images takes.
    private func withRun(
      beyond megabytes: Int, _ body: (_ folder: URL, _ limit: String) throws -> Void
    ) throws {
      let folder = try makeTemporaryFolder()
      defer { remove(folder) }
      try SyntheticImages.write(
        to: folder.appending(path: "images"), train: 30, test: 48, size: imageSize)
      expectSuccess(try Tool.run(training("run", batchSize: 8), in: folder))
      // The shell becomes the tool, under the same number.
      let watch = "(while grep VmPeak /proc/$$/status >>peak; do sleep 0.02; done) 2>/dev/null &"
      expectSuccess(
        try Tool.run(
          evaluation("whole.json") + ["--batch-size", "1"], in: folder,
          after: "\(alone); \(watch) true"))
      let peaks = try String(contentsOf: folder.appending(path: "peak"), encoding: .utf8)
        .split(separator: "\n").compactMap { line in
          line.split(separator: " ").compactMap { Int($0) }.first
        }
      try body(folder, "\(alone); ulimit -v \(try #require(peaks.max()) + 1000 * megabytes)")
    }

    @Test func anEvaluationGoesOnWithSmallerBatches() throws {
      // All 48 images at once take 150 MB more than one (PGD keeps a few copies of them).
      try withRun(beyond: 40) { folder, limit in
        let outcome = try Tool.run(evaluation("small.json"), in: folder, after: limit)
        expectSuccess(outcome)
        let lines = outcome.errors.split(separator: "\n").filter { $0.contains("out of memory") }
        #expect(
          lines.first?.hasSuffix(" at batch size 48; going on with 24") == true,
          "\(outcome.errors)")
        #expect(lines.first?.hasPrefix("out of memory on the host (") == true)
        #expect(!outcome.errors.contains("Fatal error"), "\(outcome.errors)")
        let (small, whole) = (
          folder.appending(path: "small.json"), folder.appending(path: "whole.json")
        )
        #expect(try EvaluationRuns.timeless(small) == EvaluationRuns.timeless(whole))
        #expect(
          try sortedNames(in: folder.appending(path: "run/evaluations")).allSatisfy {
            $0.hasSuffix(".json")
          })
      }
    }

    /// The fake accelerator's memory ends where it is told to; see Tests/FakeAccelerator.
    @Test(
      .enabled(
        if: ProcessInfo.processInfo.environment["CTORCH_ACCELERATOR"]?
          .contains("FakeAccelerator") == true))
    func aDeviceThatIsFullIsNamed() throws {
      let folder = try makeTemporaryFolder()
      defer { remove(folder) }
      try SyntheticImages.write(to: folder.appending(path: "images"), train: 66, test: 240)
      expectSuccess(try Tool.run(training("run", batchSize: 8), in: folder))
      expectSuccess(
        try Tool.run(evaluation("whole.json") + ["--device", "cuda"], in: folder))
      let limit = "export FAKE_ACCELERATOR_LIMIT=800000"
      let outcome = try Tool.run(
        evaluation("small.json") + ["--device", "cuda"], in: folder, after: limit)
      expectSuccess(outcome)
      let begin = "240 images in batches of 240, cuda:0\nout of memory on cuda:0 ("
      #expect(outcome.errors.hasPrefix(begin), "\(outcome.errors)")
      #expect(outcome.errors.contains(" in use) at batch size 240; going on with 120\n"))
      let (small, whole) = (
        folder.appending(path: "small.json"), folder.appending(path: "whole.json")
      )
      #expect(try EvaluationRuns.timeless(small) == EvaluationRuns.timeless(whole))
      let large = try Tool.run(
        training("large", batchSize: 60) + ["--device", "cuda"], in: folder, after: limit)
      #expect(large.status == 71)
      #expect(
        large.errors.hasSuffix(" in use): lower training.batchSize (now 60)\n"), "\(large.errors)")
    }

    @Test func aTrainingNamesTheSettingToLower() throws {
      try withRun(beyond: 120) { folder, limit in
        let outcome = try Tool.run(training("large", batchSize: 24), in: folder, after: limit)
        #expect(outcome.status == 71, "\(outcome.errors)")
        // Some CPUs get a hint that they have no bfloat16 instructions.
        let lines = outcome.errors.split(separator: "\n")
          .filter { !$0.contains("no bfloat16 instructions") }
        #expect(lines.count == 2, "\(outcome.errors)")
        #expect(lines.last?.hasPrefix("Error: out of memory on the host (") == true)
        #expect(
          lines.last?.hasSuffix(": lower training.batchSize (now 24)") == true, "\(lines)")
        expectSuccess(
          try Tool.run(training("large", batchSize: 1) + ["--resume"], in: folder, after: limit))
      }
    }
  }
#endif
