import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

/// The way of a user: train, be interrupted, resume, measure.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct TrainAndEvaluateTests {
  /// Arguments that train a small network on small images within a second.
  private func training(_ out: String, epochs: Int = 1, defense: String = "standard") -> [String] {
    let settings = [
      "model.width=2", "attack.steps=2", "data.validation=12", "training.batchSize=8",
      "training.averageDecay=0.9", "training.validationSteps=1", "optimizer.learningRate=0.05",
      "schedule.kind=one-cycle", "data.augmentation.cropPadding=1",
    ]
    return [
      "train", "--out", out, "--defense", defense, "--dataset", "folder:images", "--model",
      "small-cnn", "--epsilon", "1/20", "--epochs", "\(epochs)",
    ] + settings.flatMap { ["--set", $0] }
  }

  private func withImages(_ body: (URL) throws -> Void) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    try SyntheticImages.write(to: folder.appending(path: "images"))
    try body(folder)
  }

  private func json(_ data: Data) throws -> JSONValue { try JSONValue(parsing: data) }

  @Test func aKilledRunResumesToTheSameBits() throws {
    try withImages { folder in
      expectSuccess(try Tool.run(training("whole", epochs: 3), in: folder))
      let running = try Tool.start(training("killed", epochs: 3), in: folder)
      let first = folder.appending(path: "killed/checkpoints/latest").path
      let deadline = Date(timeIntervalSinceNow: 120)
      while running.isRunning, Date() < deadline, !FileManager.default.fileExists(atPath: first) {
        usleep(2000)
      }
      running.kill()
      let end = try running.wait()
      // Where the kill came too late, the resume has nothing to do and the test still holds.
      if end.status == 0 { print("the run ended before it was killed") }
      expectSuccess(try Tool.run(training("killed", epochs: 3) + ["--resume"], in: folder))
      let files = try ["whole", "killed"].map {
        try snapshot(of: folder.appending(path: "\($0)/checkpoints"))
      }
      let all = Set(files[0].keys).union(files[1].keys)
      #expect(all.filter { files[0][$0] != files[1][$0] }.sorted() == [])
      #expect(all.contains("epoch-0003/average.safetensors"))
    }
  }

  /// More images held out than there are is named with what would do, before anything is written.
  @Test func tooFewImagesToHoldOutAreNamed() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    try SyntheticImages.write(to: folder.appending(path: "images"))
    let outcome = try Tool.run(
      [
        "train", "--dataset", "folder:images", "--model", "small-cnn", "--out", "run", "--set",
        "data.validation=100000",
      ], in: folder)
    #expect(outcome.status == 1)
    for text in ["100000 images cannot be drawn", "at most", "data.validation=N"] {
      #expect(outcome.errors.contains(text), "\(outcome.errors)")
    }
    #expect(try sortedNames(in: folder) == ["images"])
  }

  @Test func aRunThatIsThereIsNotTouchedUnlessResumed() throws {
    try withImages { folder in
      expectSuccess(try Tool.run(training("run", defense: "natural"), in: folder))
      let before = try snapshot(of: folder)
      let again = try Tool.run(training("run", defense: "natural"), in: folder)
      #expect(again.status == 1)
      for text in ["run already holds a run: resume it", "--resume"] {
        #expect(again.errors.contains(text), "\(again.errors)")
      }
      let other = try Tool.run(training("run") + ["--resume"], in: folder)
      #expect(other.status == 1)
      #expect(other.errors.contains("another configuration"), "\(other.errors)")
      #expect(try snapshot(of: folder) == before)
    }
  }

  @Test func aFullDiskIsExplained() throws {
    // The tool must not count on a parent that ignores the signal.
    let handler = signal(SIGXFSZ, SIG_DFL)
    defer { signal(SIGXFSZ, handler) }
    try withImages { folder in
      // In units of 1024 bytes: enough for the records of a run, not for the network.
      let outcome = try Tool.run(
        training("run", defense: "natural"), in: folder, after: "ulimit -c 0 -f 6")
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("run/checkpoints/epoch-0001"), "\(outcome.errors)")
      #expect(outcome.errors.contains("limit"), "\(outcome.errors)")
      #expect(try sortedNames(in: folder.appending(path: "run/checkpoints")) == [])
      expectSuccess(
        try Tool.run(training("run", defense: "natural") + ["--resume"], in: folder))
    }
  }

  /// One run per seed, each as if it had been trained alone; a folder that is taken stops all of them.
  @Test func severalSeedsAreSeveralRuns() throws {
    try withImages { folder in
      expectSuccess(
        try Tool.run(training("runs", defense: "trades") + ["--seeds", "0,1"], in: folder))
      expectSuccess(
        try Tool.run(training("alone", defense: "trades") + ["--seed", "1"], in: folder))
      let weights = try ["runs/seed-0", "runs/seed-1", "alone"].map {
        try Data(contentsOf: folder.appending(path: "\($0)/checkpoints/latest/model.safetensors"))
      }
      #expect(weights[1] == weights[2] && weights[0] != weights[1])
      let before = try snapshot(of: folder)
      let again = try Tool.run(
        training("runs", defense: "trades") + ["--seeds", "2,1"], in: folder)
      #expect(again.status == 1)
      #expect(again.errors.contains("seed-1 already holds a run"), "\(again.errors)")
      #expect(try snapshot(of: folder) == before)
    }
  }

  @Test func evaluationWritesFiguresAndImages() throws {
    try withImages { folder in
      expectSuccess(try Tool.run(training("run", epochs: 4), in: folder))
      let outcome = try Tool.run(
        [
          "evaluate", "run", "--attack", "clean,pgd-3:restarts=2:start=uniform", "--json",
          "report.json", "--save-adversarial", "attacked.safetensors", "--batch-size", "16",
        ], in: folder)
      expectSuccess(outcome)
      #expect(outcome.output.contains("pgd-3"))
      let report = try json(Data(contentsOf: folder.appending(path: "report.json")))
      #expect(report["dataset"]?["split"]?.stringValue == "test")
      #expect(report["dataset"]?["count"]?.intValue == 60)
      #expect(report["model"]?["name"]?.stringValue == "run")
      #expect(report["model"]?["checkpoint"]?.stringValue == "epoch 4")
      #expect(report["threat"]?["epsilon"]?.doubleValue == 0.05)
      let attacks = try #require(report["attacks"]?.arrayValue)
      #expect(attacks.compactMap { $0["name"]?.stringValue } == ["clean", "pgd-3"])
      #expect(attacks[1]["settings"]?["restarts"] == 2)
      #expect(attacks[0]["robust_accuracy"]?.doubleValue == report["clean_accuracy"]?.doubleValue)

      let tensors = try Weights.read(folder.appending(path: "attacked.safetensors"))
      #expect(
        tensors.keys.sorted() == [
          "clean.images", "clean.robust", "indices", "labels", "pgd-3.images", "pgd-3.robust",
        ])
      #expect(tensors["pgd-3.images"]?.shape == [60, 3, 12, 12])
      let robust = try #require(tensors["pgd-3.robust"]).array(of: UInt8.self)
      #expect(robust.count { $0 == 1 } == attacks[1]["robust"]?.intValue)

      let counted = try Tool.run(
        [
          "evaluate", "run", "--attack", "clean,pgd-3:restarts=2:start=uniform", "--json", "-",
          "--batch-size", "7",
        ], in: folder)
      expectSuccess(counted)
      let again = try json(Data(counted.output.utf8))
      #expect(again["spec_hash"] == report["spec_hash"])
      #expect(again["clean_accuracy"] == report["clean_accuracy"])
      #expect(again["attacks"]?.arrayValue?[1]["robust"] == attacks[1]["robust"])
      #expect(again["attacks"]?.arrayValue?[1]["forwards"] == attacks[1]["forwards"])
    }
  }

  /// Two attacks of one name are two results.
  @Test func attacksThatDifferOnlyInSettingsAreKeptApart() throws {
    try withImages { folder in
      expectSuccess(try Tool.run(training("run", defense: "natural"), in: folder))
      let outcome = try Tool.run(
        [
          "evaluate", "run", "--attack", "pgd-2,pgd-2:start=uniform", "--limit", "10",
          "--save-adversarial", "attacked.safetensors", "--json", "-",
        ], in: folder)
      expectSuccess(outcome)
      #expect(try json(Data(outcome.output.utf8))["attacks"]?.arrayValue?.count == 2)
      let tensors = try Weights.read(folder.appending(path: "attacked.safetensors"))
      #expect(tensors.keys.count { $0.hasSuffix(".images") } == 2)
    }
  }

  @Test func wrongMeasurementsAreExplained() throws {
    try withImages { folder in
      expectSuccess(try Tool.run(training("run", defense: "natural"), in: folder))
      try SyntheticImages.write(to: folder.appending(path: "larger"), train: 6, test: 6, size: 18)
      let before = try snapshot(of: folder)
      let mistakes: [(arguments: [String], said: [String])] = [
        (["--attack", "pdg-20"], ["there is no attack \"pdg-20\"", "did you mean \"pgd\""]),
        (["--attack", "pgd-0"], ["pgd-0"]),
        (["--attack", "pgd-2:restart=2"], ["\"restart\"", "did you mean \"restarts\""]),
        (["--attack", "pgd-2:restarts=0"], ["restarts=0", "number from 1"]),
        (["--attack", ""], ["no attack"]),
        (["--checkpoint", "9"], ["epoch-0009", "epoch-0001"]),
        (["--dataset", "folder:larger"], ["18×18", "12×12"]),
        (["--dataset", "folder:elsewhere"], ["elsewhere"]),
        (["--split", "validation"], ["validation"]),
        (["--json", "nowhere/report.json", "--attack", "clean"], ["nowhere", "does not exist"]),
      ]
      for (arguments, said) in mistakes {
        let outcome = try Tool.run(["evaluate", "run"] + arguments, in: folder)
        #expect(outcome.status != 0, "\(arguments)")
        for text in said { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
        #expect(outcome.output == "", "\(arguments)")
      }
      #expect(try snapshot(of: folder) == before)
    }
  }

  @Test func estimatorsAndNamidFollowFromARun() throws {
    try withImages { folder in
      expectSuccess(try Tool.run(training("run", defense: "natural"), in: folder))
      expectSuccess(
        try Tool.run(
          [
            "train-estimators", "--target", "run", "--out", "estimators", "--epochs", "1", "--set",
            "units=8", "--set", "batchSize=16",
          ], in: folder))
      let namid = try Tool.run(
        training("namid", defense: "namid") + ["--estimators", "estimators"], in: folder)
      expectSuccess(namid)
      let config = try String(
        contentsOf: folder.appending(path: "estimators/config.yaml"), encoding: .utf8)
      // Data and ball are those of the network that is measured.
      #expect(config.contains("folder:images") && config.contains("1/20"))
      let evaluation = try Tool.run(
        ["evaluate", "namid", "--limit", "12", "--attack", "clean", "--json", "-"], in: folder)
      expectSuccess(evaluation)
      #expect(try json(Data(evaluation.output.utf8))["dataset"]?["count"]?.intValue == 12)
    }
  }
}
