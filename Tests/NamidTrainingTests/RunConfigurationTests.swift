import Foundation
import NamidDefenses
import NamidFiles
import NamidInformation
import NamidSettings
import NamidTestSupport
import Testing

@testable import NamidTraining

/// Settings of runs: groups by defense, names that are looked up, files from earlier versions.
@Suite struct RunConfigurationTests {
  private let catalog = Catalog.standard

  private func text(_ overrides: String...) throws -> String {
    try ConfigurationLoader.render(catalog.configuration(overrides: overrides))
  }

  /// What this program wrote before there were further defenses.
  private let earlier = """
    seed: 0
    data:
      name: cifar10
      validation: 1000
      limit: null
      augmentation:
        cropPadding: 4
        flip: true
    model:
      architecture: resnet18
      width: 64
      firstConvolutionPadding: 1
    threat:
      norm: linf
      epsilon: 8/255
    attack:
      steps: 10
      stepSize: null
      start: gaussian
    defense: DEFENSE
    namid:
      alpha: 5
      lambda: 0.25
      cosine: batch
      selection: argmax
      warmUpEpochs: 0
      warmUp: natural
      statistics: both
    estimators: runs/e
    optimizer:
      kind: sgd
      learningRate: 0.1
      momentum: 0.9
      weightDecay: 0.0002
      nesterov: false
    schedule:
      kind: multi-step
      milestones: [74, 89]
      gamma: 0.1
      warmUp: 0.3
    training:
      epochs: 100
      batchSize: 1024
      dropLast: false
      precision: bfloat16
      averageDecay: null
      validationSteps: 10
      keep: 2
    """

  @Test(arguments: ["natural", "standard", "namid"])
  func filesOfEarlierVersionsAreRead(_ defense: String) throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let file = root.appending(path: "config.yaml")
    try Data(earlier.replacing("DEFENSE", with: defense).utf8).write(to: file)
    let configuration = try SavedNetwork.configuration(of: root)
    #expect(configuration.defense.rawValue == defense)
    #expect(configuration.model.width == 64 && configuration.estimators == "runs/e")
    #expect(configuration.namid.lambda == (defense == "namid" ? 0.25 : 0.1))
    #expect(configuration.namid.balance == .none && configuration.namid.mean == .selected)
    #expect(configuration.initial == nil && configuration.optimizer.clipNorm == nil)
    #expect(RunFolder.isOfEarlierVersion(root))
    #expect(configuration.attack.batchNorm == .evaluation)
    #expect(configuration.weightPerturbation == nil)
    let json = root.appending(path: "run.json")
    try JSONValue(encoding: configuration).data().write(to: json)
    #expect(try catalog.configuration(file: json) == configuration)
  }

  @Test func estimatorFilesOfEarlierVersionsAreRead() throws {
    let file = "objective: eq4\nunits: 16\nleak: false\n"
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let url = root.appending(path: "config.yaml")
    try Data(file.utf8).write(to: url)
    let configuration = try ConfigurationLoader.load(
      defaults: EstimatorConfiguration(), file: url)
    #expect(configuration.kind == .pair && configuration.control == nil)
    #expect(configuration.units == 16)
  }

  @Test func onlyTheGroupsOfTheDefenseAreWritten() throws {
    #expect(try !text().contains("namid:"))
    let trades = try text("defense=trades", "trades.beta=3", "namid.alpha=2")
    #expect(trades.contains("trades:\n  beta: 3") && !trades.contains("namid"))
    let both = try text("defense=namid-t", "estimators=runs/e", "trades.beta=3", "namid.alpha=2")
    #expect(both.contains("trades:\n  beta: 3") && both.contains("alpha: 2"))
    #expect(try text("defense=trades") == text("defense=trades", "mart.beta=9"))
  }

  @Test func whatIsWrittenIsRead() throws {
    for entry in DefenseEntry.all {
      let configuration = try catalog.configuration(overrides: [
        "defense=\(entry.name)", "estimators=runs/e", "weightPerturbation.gamma=0.02",
      ])
      let root = try makeTemporaryFolder()
      defer { remove(root) }
      let file = root.appending(path: "config.yaml")
      try Data(ConfigurationLoader.render(configuration).utf8).write(to: file)
      #expect(try catalog.configuration(file: file) == configuration, "\(entry.name)")
      #expect(configuration.weightPerturbation?.gamma == 0.02)
    }
  }

  @Test(arguments: [
    (["defense=tradse"], ["defense", "tradse", "did you mean \"trades\"", "namid-t"]),
    (["defense=trades", "trades.bta=3"], ["trades.bta", "trades.beta"]),
    (["defense=mart", "trades.beta=-1"], ["trades.beta", "negative"]),
    (["defense=mart", "mart.beta=large"], ["mart.beta", "a number"]),
    (["tradse.beta=1"], ["unknown key \"tradse\"", "did you mean \"trades\""]),
    (["defense=namid"], ["estimators", "estimators of natural-adversarial MI"]),
    (["defense=namid-m"], ["estimators", "namid-m"]),
    (["defense=wmim"], ["estimators of standard MI"]),
    (["weightPerturbation.gamma=-1"], ["weightPerturbation.gamma", "negative"]),
    (["training.labelSmoothing=1"], ["training.labelSmoothing", "[0, 1)"]),
    (["training.patience=0"], ["training.patience", "at least 1"]),
    (["training.epochs=9000000000000000000"], ["training.epochs", "at most 1000000"]),
    (["schedule.milestones=[9223372036854775807]"], ["schedule.milestones", "0 to 1000000"]),
    (["data.augmentation.cropPadding=9000000000000000000"], ["0 to 1024 pixels"]),
    (["defense=wmim", "wmim.units=99999999"], ["wmim.units", "from 1 to 16384"]),
    (["attack.batchNorm=train"], ["attack.batchNorm", "evaluation, training"]),
  ])
  func mistakesAreNamed(_ overrides: [String], _ said: [String]) {
    let text = message { _ = try catalog.configuration(overrides: overrides) } ?? ""
    for part in said { #expect(text.contains(part), "\(text)") }
  }

  @Test func jointWMIMNeedsNoEstimators() throws {
    let configuration = try catalog.configuration(overrides: ["defense=wmim", "wmim.mode=joint"])
    #expect(configuration.estimators == nil)
  }

  @Test func aDefenseOfOnesOwnHasAGroupOfItsOwn() throws {
    struct Own: DefenseSettings {
      static let key = "own"
      var strength = 2.0
      init() {}
    }
    var catalog = Catalog.standard
    catalog.defenses.append(
      DefenseEntry(name: "own", summary: "", source: "", settings: [Own.self]) { parts in
        NaturalTraining(labelLoss: parts.labelLoss)
      })
    let configuration = try catalog.configuration(overrides: ["defense=own", "own.strength=3"])
    #expect(configuration.settings[Own.self].strength == 3)
    #expect(try ConfigurationLoader.render(configuration).contains("own:\n  strength: 3"))
    #expect(
      message { _ = try Catalog.standard.configuration(overrides: ["own.strength=3"]) } != nil)
  }

  /// The default of the tool is the paper's setting with the cap, and nothing else.
  @Test func theBalancedSettingsAreThePapersWithTheCap() {
    var balanced = RunConfiguration.balanced
    #expect(balanced.namid.balance == .cap && balanced.namid.balanceRatio == 0.5)
    #expect(balanced.namid.alpha == 5 && balanced.namid.lambda == 0.1)
    balanced.namid.balance = .none
    balanced.settings[WMIM.Settings.self].balance = .none
    #expect(balanced.namid == NAMID.Settings())
    balanced.settings = SettingsGroups()
    #expect(balanced == RunConfiguration())
  }

  @Test func presetsOfTheAuthorsReachTheWholeFamily() throws {
    for name in [DefenseName.namid, .namidT, .namidM] {
      let reference = RunConfiguration.reference(for: name)
      #expect(reference.attack.steps == 40 && reference.namid == .reference)
    }
    let trades = RunConfiguration.reference(for: .trades)
    #expect(trades.attack.steps == 10)
    #expect(trades.settings[TRADES.Settings.self].statistics == .reference)
  }

  /// A recipe's keys and values are right for the defense that has it.
  @Test func recipesAreConfigurations() throws {
    for entry in DefenseEntry.all {
      let configuration = try catalog.configuration(
        overrides: ["defense=\(entry.name)", "estimators=runs/e"] + entry.recipe)
      #expect((configuration != RunConfiguration()) || entry.name == "standard")
    }
    let mart = try catalog.configuration(
      overrides: ["defense=mart"] + (try catalog.defense("mart").recipe))
    #expect(mart.optimizer.weightDecay == 3.5e-3 && mart.training.epochs == 120)
  }
}
