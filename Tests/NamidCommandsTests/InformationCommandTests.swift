import Foundation
import NamidFiles
import NamidTestSupport
import Testing

/// `namid mi of`, `namid mi poc` and `namid mi compare`.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct InformationCommandTests {
  private static let effort = [
    "--units", "8", "--epochs", "1", "--train-images", "48", "--train-batch", "16",
  ]

  private func trainEstimators(
    _ name: String, target: String = "run", _ more: [String] = [], in folder: URL
  ) throws {
    expectSuccess(
      try Tool.run(
        [
          "train-estimators", "--target", target, "--out", name, "--epochs", "1", "--set",
          "units=8", "--set", "batchSize=16",
        ] + more, in: folder))
  }

  /// The rows of a CSV file by column.
  private func columns(_ file: URL) throws -> [String: [String]] {
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    return Dictionary(
      uniqueKeysWithValues: lines[0].enumerated().map { place, name in
        (name, lines.dropFirst().map { $0[place] })
      })
  }

  private func mean(_ texts: [String]) throws -> Double {
    try texts.map { try #require(Double($0)) }.reduce(0, +) / Double(texts.count)
  }

  @Test(arguments: ["of", "poc", "compare"])
  func everyVerbExplainsItself(verb: String) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let outcome = try Tool.run(["mi", verb, "--help"], in: folder)
    expectSuccess(outcome)
    #expect(outcome.output.contains("USAGE: namid mi \(verb)"), "\(outcome.output)")
    #expect(outcome.output.contains("  namid mi \(verb) runs/"), "\(outcome.output)")
  }

  @Test func whatIsMissingIsNamed() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let mistakes: [(arguments: [String], said: String)] = [
      (["of"], "<run>"), (["of", "nowhere"], "nowhere is not a run's folder"),
      (["of", "nowhere", "--json", "b/a.json"], "does not exist"),
      (["of", "nowhere", "--samples", "a.txt"], "must be .csv or .jsonl"),
      (["of", "nowhere", "--score-batch", "1"], "--score-batch must be at least 2"),
      (["poc", "nowhere"], "--out"), (["compare", "nowhere"], "--out"),
      (["poc", "nowhere", "--out", "out"], "nowhere is not a run's folder"),
      (["compare", "nowhere", "--out", "out"], "nowhere is not a run's folder"),
      (["compare", "nowhere", "--out", "out", "--epochs", "0"], "--epochs must be at least 1"),
      (["compare", "nowhere", "--out", "out", "--controls", "randm"], "did you mean \"random\"?"),
    ]
    for (arguments, said) in mistakes {
      let outcome = try Tool.run(["mi"] + arguments, in: folder)
      #expect(outcome.status != 0 && outcome.output == "", "\(arguments)")
      #expect(outcome.errors.contains(said), "\(outcome.errors)")
    }
    #expect(try sortedNames(in: folder) == [])
  }

  @Test func figuresOfARunAreThoseOfItsSamples() throws {
    try EvaluationRuns.with { folder in
      try trainEstimators("estimators", ["--objective", "eq4"], in: folder)
      let arguments = [
        "mi", "of", "run", "--attack", "pgd-3:start=uniform,clean,fwa-2", "--limit", "36",
        "--estimators", "estimators",
      ]
      let outcome = try Tool.run(
        arguments + ["--json", "mi.json", "--samples", "mi.csv"], in: folder)
      expectSuccess(outcome)
      #expect(outcome.output.contains("selected (Equation 6)"), "\(outcome.output)")
      let report = try EvaluationRuns.json(folder.appending(path: "mi.json"))
      let setting = try #require(report["setting"])
      #expect(setting["unit"]?.stringValue == "nats")
      #expect(setting["dataset"]?["count"]?.intValue == 36)
      #expect(setting["batches"]?["size"]?.intValue == 16)
      #expect(setting["batches"]?["filled"]?.intValue == 12)
      #expect(report["estimators"]?["objective"]?.stringValue == "eq4")
      let attacks = try #require(report["attacks"]?.arrayValue)
      #expect(attacks.compactMap { $0["attack"]?["name"]?.stringValue } == ["pgd-3", "fwa-2"])
      #expect(Set(attacks.compactMap { $0["spec_hash"]?.stringValue }).count == 2)

      let rows = try columns(folder.appending(path: "mi.csv"))
      #expect(rows["attack"]?.count == 72)
      for (place, attack) in attacks.enumerated() {
        let own = (36 * place)..<(36 * place + 36)
        let all = try #require(attack["groups"]?.arrayValue?.first)
        for (column, kind, state) in [
          ("natural_clean", "natural", "clean"), ("natural_attacked", "natural", "attacked"),
          ("adversarial_clean", "adversarial", "clean"),
          ("adversarial_attacked", "adversarial", "attacked"),
        ] {
          let figure = try #require(all[kind]?[state]?["mean"]?.doubleValue)
          let expected = try mean(Array(try #require(rows[column])[own]))
          #expect(abs(figure - expected) < 1e-5, "\(column)")
        }
        let flips = own.count {
          rows["clean"]?[$0] == rows["label"]?[$0] && rows["attacked"]?[$0] != rows["label"]?[$0]
        }
        #expect(attack["selected"]?["count"]?.intValue == flips)
        #expect(rows["selected"]?[own].count { $0 == "1" } == flips)
        let hash = attack["spec_hash"]?.stringValue
        #expect(rows["spec"]?[own].allSatisfy { $0 == hash } == true)
      }
      // Nothing of the attack is left in the run's folder.
      #expect(try sortedNames(in: folder.appending(path: "run")).contains("evaluations") == false)
      // What evaluate says of the unattacked images.
      let plain = try Tool.run(
        ["evaluate", "run", "--attack", "clean", "--limit", "36", "--json", "-"], in: folder)
      let accuracy = try JSONValue(parsing: Data(plain.output.utf8))["clean_accuracy"]?.doubleValue
      #expect(attacks[0]["attack"]?["clean_accuracy"]?["share"]?.doubleValue == accuracy)
      let right = try #require(rows["clean"]).indices.prefix(36)
        .count { rows["clean"]?[$0] == rows["label"]?[$0] }
      #expect(Double(right) / 36 == accuracy)

      let again = try Tool.run(arguments + ["--json", "-"], in: folder)
      #expect(try JSONValue(parsing: Data(again.output.utf8)) == report)
      let other = try Tool.run(arguments + ["--json", "-", "--score-batch", "9"], in: folder)
      let changed = try JSONValue(parsing: Data(other.output.utf8))
      #expect(changed["attacks"]?.arrayValue?[0]["spec_hash"] != attacks[0]["spec_hash"])
      #expect(changed["remarks"]?.arrayValue?.count == 1)
    }
  }

  @Test func withoutEstimatorsOnlyLabelsAreMeasured() throws {
    try EvaluationRuns.with { folder in
      let outcome = try Tool.run(
        ["mi", "of", "run", "--attack", "pgd-2", "--limit", "20", "--json", "-"], in: folder)
      expectSuccess(outcome)
      #expect(outcome.errors.contains("no estimators given"), "\(outcome.errors)")
      let report = try JSONValue(parsing: Data(outcome.output.utf8))
      let attack = try #require(report["attacks"]?.arrayValue?.first)
      #expect(attack["groups"] == nil || attack["groups"] == .null)
      #expect(attack["label_information_clean"]?["count"]?.intValue == 20)
      #expect(attack["label_information_attacked"]?["plug_in"]?.doubleValue != nil)
    }
  }

  @Test func estimatorsThatDoNotFitAreRefused() throws {
    try EvaluationRuns.with { folder in
      // A second set of images with a class less, a network on it, and estimators of that network.
      try SyntheticImages.write(to: folder.appending(path: "two"))
      for split in ["train", "test"] { remove(folder.appending(path: "two/\(split)/right")) }
      expectSuccess(
        try Tool.run(
          [
            "train", "--out", "other", "--defense", "natural", "--dataset", "folder:two", "--model",
            "small-cnn", "--epochs", "1", "--set", "model.width=2", "--set", "data.validation=0",
            "--set", "training.batchSize=16",
          ], in: folder))
      try trainEstimators("others", target: "other", in: folder)
      try trainEstimators("standard", ["--kind", "standard"], in: folder)
      try trainEstimators("eq5", in: folder)
      let before = try snapshot(of: folder)
      let mistakes: [(arguments: [String], said: [String])] = [
        (
          ["of", "run", "--estimators", "others"],
          ["others do not fit", "they read 2 logits", "they were trained on folder:two"]
        ),
        (["of", "run", "--estimators", "nowhere"], ["nowhere is not a run's folder"]),
        (["of", "run", "--estimators", "run"], ["it is the run of a network"]),
        (["of", "run", "--estimators", "standard"], ["standard MI", "need a pair"]),
        (["of", "run", "--attack", "clean"], ["name at least one attack"]),
        (["of", "run", "--attack", "pdg-2"], ["did you mean \"pgd\"?"]),
        (["of", "run", "--limit", "1"], ["1 image(s) are too few"]),
        (["poc", "run", "--out", "out", "--estimators", "standard"], ["attacked images"]),
        (
          ["compare", "run", "--out", "out", "--eq4", "eq5"],
          ["objective is eq5", "eq4 is compared"]
        ),
        (["compare", "run", "--out", "out", "--eq5", "others"], ["others do not fit"]),
        (["compare", "run", "--out", "eq5/config.yaml/out"], ["config.yaml"]),
      ]
      for (arguments, said) in mistakes {
        let outcome = try Tool.run(["mi"] + arguments, in: folder)
        #expect(outcome.status != 0 && outcome.output == "", "\(arguments)")
        for text in said { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
      }
      #expect(try snapshot(of: folder) == before)
    }
  }

  @Test func estimatorsAreTrainedComparedAndUsedAgain() throws {
    try EvaluationRuns.with { folder in
      let arguments =
        ["mi", "compare", "run", "--out", "out", "--attack", "pgd-3", "--limit", "30"] + Self.effort
      let first = try Tool.run(arguments, in: folder)
      expectSuccess(first)
      for text in [
        "eq4", "eq5", "random", "shuffled-eq5", "AUC", "does eq5 separate by natural MI",
      ] {
        #expect(first.output.contains(text), "\(first.output)")
      }
      let file = folder.appending(path: "out/compare.json")
      let report = try EvaluationRuns.json(file)
      let attack = try #require(report["attacks"]?.arrayValue?.first)
      let readings = try #require(attack["readings"]?.arrayValue)
      #expect(
        readings.compactMap { $0["role"]?.stringValue }
          == ["eq4", "eq5", "random", "shuffled-eq4", "shuffled-eq5"])
      #expect(
        Set(readings.compactMap { $0["estimators"]?["fingerprint"]?.stringValue }).count == 5)
      let rows = try columns(folder.appending(path: "out/compare.csv"))
      #expect(rows["estimators"]?.count == 150)
      for (place, reading) in readings.enumerated() {
        let own = (30 * place)..<(30 * place + 30)
        let clean = try #require(rows["natural_clean"])[own].compactMap(Double.init)
        let attacked = try #require(rows["natural_attacked"])[own].compactMap(Double.init)
        // The share of all pairs in order, from the file, pair by pair.
        let shares = clean.map { high in
          attacked.reduce(0.0) { $0 + (high > $1 ? 1 : high == $1 ? 0.5 : 0) } / 30
        }
        let area = try #require(reading["natural"]?["separation"]?["auc"]?.doubleValue)
        #expect(abs(shares.reduce(0, +) / 30 - area) < 1e-9)
      }
      let html = try String(
        contentsOf: folder.appending(path: "out/compare.html"), encoding: .utf8)
      #expect(html.contains("namid mi compare run --out out"))

      let weights = try snapshot(of: folder.appending(path: "out/eq4/checkpoints"))
      let second = try Tool.run(arguments, in: folder)
      expectSuccess(second)
      #expect(second.errors.contains("using out/eq4, trained before"), "\(second.errors)")
      #expect(second.output == first.output)
      #expect(try EvaluationRuns.json(file) == report)
      #expect(try snapshot(of: folder.appending(path: "out/eq4/checkpoints")) == weights)

      let other = try Tool.run(arguments + ["--seed", "1"], in: folder)
      #expect(other.status == 1 && other.output == "")
      #expect(other.errors.contains("trained with other settings"), "\(other.errors)")
      #expect(try EvaluationRuns.json(file) == report)
    }
  }

  @Test func theProofOfConceptReadsThreePairings() throws {
    try EvaluationRuns.with { folder in
      let outcome = try Tool.run(
        ["mi", "poc", "run", "--out", "out", "--attack", "pgd-2,pgd-4,fwa-2", "--limit", "30"]
          + Self.effort, in: folder)
      expectSuccess(outcome)
      let report = try EvaluationRuns.json(folder.appending(path: "out/poc.json"))
      #expect(report["training"]?.stringValue == "natural training")
      #expect(report["estimator"]?["kind"]?.stringValue == "standard")
      // Trained on natural images: the ball is a point.
      #expect(report["estimator"]?["threat"]?["epsilon"]?.doubleValue == 0)
      #expect(report["remarks"]?.arrayValue == [])
      let rows = try #require(report["attacks"]?.arrayValue)
      #expect(rows.count == 3)
      let samples = try columns(folder.appending(path: "out/poc.csv"))
      for (place, row) in rows.enumerated() {
        let own = (30 * place)..<(30 * place + 30)
        for (column, key) in [
          ("natural_natural", "natural_input_natural_output"),
          ("adversarial_adversarial", "adversarial_input_adversarial_output"),
          ("natural_adversarial", "natural_input_adversarial_output"),
        ] {
          let figure = try #require(row[key]?["mean"]?.doubleValue)
          #expect(abs(figure - (try mean(Array(try #require(samples[column])[own])))) < 1e-5)
        }
      }
      // Natural outputs do not depend on the attack.
      let natural = rows.map { $0["natural_input_natural_output"]?["mean"]?.doubleValue }
      #expect(Set(natural).count == 1)
      #expect(try sortedNames(in: folder.appending(path: "out")).contains("poc.html"))
    }
  }
}
