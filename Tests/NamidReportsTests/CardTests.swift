import Foundation
import NamidAttacks
import NamidEvaluation
import NamidFiles
import NamidTraining
import Testing

@testable import NamidReports
@testable import NamidSettings
@testable import NamidTerminal

@Suite(.serialized) struct CardTests {
  /// The part between the two lines of dashes, read as YAML.
  func frontMatter(_ card: String) throws -> JSONValue {
    let parts = card.components(separatedBy: "---\n")
    try #require(parts.count >= 3 && parts[0].isEmpty)
    return try YAMLDocument(parsing: parts[1]).tree
  }

  // MARK: The card

  @Test func aTrainedRunWithoutMeasurementClaimsNothing() throws {
    try CardRun.with { run in
      run.train()
      #expect(run.said == [])
      let card = try run.card()
      for text in [
        "# at: small-cnn (width 2), trades training on CIFAR-10", "7 parameters",
        "In its own words: trades training of 7\\|9.", "(Zhang et al., ICML 2019)",
        "`trades.beta = 6.0`", "3 of 3 epochs, 30 steps, seed 0", "3 epochs took 12 s",
        "10 gradient steps of ε/4 within L∞, ε = 8/255",
        "CIFAR-10, 49,000 of its 50,000 training images; 1,000 others were held out",
        "best epoch 2: `clean_accuracy` 50.00 %, `pgd_10_accuracy` 30.00 %",
        "last epoch 3: `clean_accuracy` 50.00 %, `pgd_10_accuracy` 20.00 %",
        "Nothing yet: no evaluation", "neither accuracy nor robustness is known",
        "checkpoints/epoch-0002/model.safetensors", "From-PyTorch.md",
        "train again by at/config.yaml into at-again", "measure at by clean,pgd-20,autoattack\n",
        "No licence is stated",
      ] {
        #expect(card.contains(text), "\(text)\n\(card)")
      }
      let yaml = try frontMatter(card)
      #expect(yaml["datasets"] == ["cifar10"] && yaml["pipeline_tag"] == "image-classification")
      #expect(yaml["model-index"] == nil && yaml["license"] == nil && yaml["metrics"] == nil)
      #expect(yaml["tags"]?.arrayValue?.contains("adversarial-training") == true)
      let entry = try run.entry()
      for key in ["clean_acc", "autoattack_acc", "link", "authors", "venue", "reported"] {
        #expect(entry[key] == .null, "\(key)")
      }
    }
  }

  @Test func measurementsAreShownAsTheyWereMade() throws {
    try CardRun.with { run in
      let report = try run.measured(attack: "pgd-2:restarts=3,pgd-1")
      run.evaluate(report)
      run.train()
      let card = try run.card()
      let hash = report.specificationHash
      let right = Int((report.cleanAccuracy * 20).rounded())
      for (attack, robust, ball) in [
        ("`clean`", right, "none"),
        ("`pgd-2:restarts=3`", report.attacks[0].robust, "L∞, ε = 8/255"),
        ("worst case of all", try #require(report.worstCase).share.robust, "L∞, ε = 8/255"),
      ] {
        let share = Share(robust, of: 20)
        let interval = share.interval.ends.map { String(format: "%.2f", 100 * $0) }
        let row =
          "| epoch 3 | \(attack) | 20 test, CIFAR-10 (JPEG copy) | "
          + String(format: "%.2f", 5 * Double(robust)) + " % (\(robust)/20) | "
          + "\(interval[0]) – \(interval[1]) | \(ball) | `\(hash)` |"
        #expect(card.contains(row), "\(row)\n\(card)")
      }
      for text in [
        "Every measurement uses at most 20 of the 10,000 test images",
        "AutoAttack was not measured", "Epoch 2, which validation chose, was not measured",
        "Measured on CIFAR-10 (JPEG copy), not on CIFAR-10",
        "measure at by pgd-2:restarts=3,pgd-1, epoch 3, limit 20  # spec \(hash)",
        "raised no flag", "not to be compared with published",
      ] {
        #expect(card.contains(text), "\(text)\n\(card)")
      }
      run.evaluate(try run.measured(2))
      #expect(try !run.card().contains("which validation chose, was not measured"))
      let result = try #require(
        try frontMatter(card)["model-index"]?.arrayValue?[0]["results"]?.arrayValue?[0])
      #expect(result["task"]?["type"] == "image-classification")
      #expect(result["dataset"]?["type"] == "cifar10" && result["dataset"]?["split"] == "test")
      #expect(result["dataset"]?["name"] == "CIFAR-10 (JPEG copy)")
      let metrics = try #require(result["metrics"]?.arrayValue)
      #expect(metrics.map { $0["type"] } == ["accuracy", "accuracy", "accuracy"])
      #expect(metrics[0]["value"]?.doubleValue == report.cleanAccuracy)
      #expect(metrics[1]["value"]?.doubleValue == report.attacks[0].robustAccuracy)
      #expect(metrics[1]["args"]?["attack"] == "pgd-2:restarts=3")
      #expect(metrics[1]["args"]?["spec_hash"]?.stringValue == hash)
      #expect(metrics[0]["args"]?["attack"] == nil)
    }
  }

  @Test func flagsAndFallbacksStandInTheCard() throws {
    try CardRun.with { run in
      var report = try run.measured()
      report.attacks[1].fallback = "2 targets instead of 9"
      let tree: JSONValue = [
        "name": "zero-gradient", "value": 1, "threshold": 0, "meaning": "the gradient is 0 for 3",
        "advice": "use attacks without gradients",
      ]
      report.flags = [try tree.decode(Diagnosis.self)]
      run.evaluate(report)
      let card = try run.card()
      #expect(
        card.contains("**zero-gradient** (epoch 3, \(report.specificationHash)): the gradient"))
      #expect(card.contains("is not as defined: 2 targets instead of 9."))
      #expect(!card.contains("raised no flag"))
    }
  }

  @Test func anotherBallSeedAndDataSetStandInTheCommand() throws {
    try CardRun.with { run in
      let ball = ThreatModel(norm: .l2, epsilon: 0.5)
      run.evaluate(
        try run.report(
          title: "CIFAR-10", images: 10_000, clean: 5000, attacks: [("pgd-3", 10)], threat: ball,
          seed: 4))
      run.evaluate(
        try run.report(title: "Else", clean: 500, attacks: [("autoattack", 10)]))
      let card = try run.card()
      let words = "by pgd-3, epoch 3, norm l2, epsilon 0.5, seed 4  # spec"
      #expect(card.contains(words), "\(card)")
      #expect(card.contains("by autoattack, epoch 3, limit 1000, other data true"), "\(card)")
      let entry = try run.entry()
      #expect(entry["clean_acc"] == .null && entry["autoattack_acc"] == .null)
      #expect(entry["namid"]?["all_spec_hashes"]?.arrayValue?.count == 2)
    }
  }

  @Test func ofImportedWeightsNothingIsSaidAboutTraining() throws {
    try CardRun.with(imported: true) { run in
      run.evaluate(try run.measured(1))
      #expect(run.said == [])
      let card = try run.card()
      #expect(card.contains("not known to namid"))
      for text in ["Optimizer", "train again", "adversarial-training", "seed 0:", "Length"] {
        #expect(!card.contains(text), "\(text)\n\(card)")
      }
      #expect(try frontMatter(card)["datasets"] == nil)
      let entry = try run.entry()
      #expect(entry["additional_data"] == .null && entry["namid"]?["imported"] == true)
      #expect(entry["clean_acc"]?.stringValue != nil)
    }
  }

  /// An unfinished run is called unfinished, and the average is what is loaded.
  @Test func settingsThatChangeTheReadingAreSaid() throws {
    let configure = { (configuration: inout RunConfiguration) in
      configuration.training.epochs = 100
      configuration.training.averageDecay = 0.99
      configuration.data.limit = 5000
      configuration.defense = .natural
    }
    try CardRun.with(configure) { run in
      run.train()
      let card = try run.card()
      for text in [
        "3 of 100 epochs", "It is not finished.", "state.update(load_file(", "decay 0.99",
        "**Attack in training:** none", "natural training without a defense",
        "5,000 of its 50,000 training images",
        "3 epochs of training; 5,000 of 50,000 training images",
      ] {
        #expect(card.contains(text), "\(text)\n\(card)")
      }
      #expect(!card.contains("adversarial-training"))
    }
  }

  @Test func theTrainingsOwnWordsAreKeptForTheSameTrainingOnly() throws {
    try CardRun.with { run in
      run.train()
      run.evaluate(try run.measured())
      #expect(try run.card().contains("In its own words: trades training"))
      let text = try String(contentsOf: run.entryFile, encoding: .utf8)
      try text.replacing("\"da7a\"", with: "\"0000\"")
        .write(to: run.entryFile, atomically: true, encoding: .utf8)
      run.evaluate(try run.measured())
      #expect(try !run.card().contains("In its own words"))
      #expect(try run.entry()["namid"]?["training"] == .null)
    }
  }

  // MARK: Parts

  @Test func networksHaveTheirNamesInPapers() throws {
    for (architecture, width, name) in [
      ("resnet18", 64, "ResNet-18"), ("resnet18", 16, "ResNet-18 (width 16)"),
      ("wideresnet-34-10", 160, "WideResNet-34-10"), ("wideresnet-28-10", 64, "WideResNet-28-4"),
      ("wideresnet-34-10", 40, "WideResNet-34 (width 40)"), ("mine", 3, "mine (width 3)"),
    ] {
      try CardRun.with { run in
        var facts = try CardFacts(run: run.folder, catalog: .standard) { _ in }
        facts.specification.architecture = architecture
        facts.specification.width = width
        #expect(facts.architecture == name)
      }
    }
    #expect(
      [0, 999, 1000, 49_000, 1_234_567].map(thousands) == [
        "0", "999", "1,000", "49,000", "1,234,567",
      ])
  }

  /// Whatever an attack's settings, the text either gives them again or is not there.
  @Test func anAttacksTextGivesItsSettingsAgain() throws {
    let threat = ThreatModel(epsilon: Fraction(8, over: 255))
    for text in [
      "clean", "pgd-20", "pgd-7:start=uniform:restarts=4:loss=dlr", "autoattack", "fab-t:targets=3",
      "square:queries=77:p_init=0.3", "apgd-ce:steps=20", "ti-dim:probability=0.25",
    ] {
      let attack = try AttackList.parse(text, threat: threat)[0]
      let report = AttackReport(
        name: attack.name, robust: 0, total: 1, cost: Cost(), seconds: 0, settings: attack.record)
      let found = try #require(
        AttackText.commandLine(of: report, threat: threat, .standard), "\(text)")
      #expect(try AttackList.parse(found, threat: threat)[0].record == attack.record)
    }
    for (name, settings) in [
      ("pgd-20,pgd-40", [:]), ("unknown", [:]), ("pgd-20", ["steps": "20"]),
      ("pgd-20", ["steps": "20; ls"]), ("", [:]), ("clean", ["x": "1"]),
    ] as [(String, JSONValue)] {
      let report = AttackReport(
        name: name, robust: 0, total: 1, cost: Cost(), seconds: 0, settings: settings)
      #expect(AttackText.commandLine(of: report, threat: threat, .standard) == nil, "\(name)")
    }
  }
}
