import Foundation
import NamidDefenses
import NamidFiles
import NamidSettings
import NamidTraining
import Testing

@testable import NamidReproduction

@Suite struct ReproduceRecipeTests {
  private func message(_ text: String, preset: String? = nil) -> String? {
    do {
      _ = try ReproduceFixtures.plan(text, preset: preset)
      return nil
    } catch {
      return "\(error)"
    }
  }

  private func recipe(_ old: String, _ new: String) -> String {
    ReproduceFixtures.recipe.replacing(old, with: new)
  }

  private func probe(_ attack: String) -> String {
    "\nprobes:\n  Pairings: {kind: poc, network: Standard, estimators: ours, attack: \"\(attack)\", limit: 9}\n"
  }

  /// The same attack with other settings has a column of its own.
  @Test func attacksOfAProbeHaveNamesOfTheirOwn() throws {
    let table = try ReproduceFixtures.plan(
      ReproduceFixtures.recipe + probe("pgd-2,fwa-2,pgd-2:restarts=2")
    ).table
    let part = try #require(table.parts.last)
    #expect(part.columns.map(\.name) == ["pgd-2", "fwa-2", "pgd-2#2"])
  }

  @Test func everythingThatCanBeKnownIsSaidWithItsLine() throws {
    #expect(message(ReproduceFixtures.recipe) == nil)
    let mistakes: [(text: String, said: [String])] = [
      (recipe("title:", "titel:"), ["mine.yaml:1", "titel", "did you mean \"title\""]),
      (recipe("attack: pgd-40", "atack: pgd-40"), ["mine.yaml:19", "columns.PGD-40.atack"]),
      (
        recipe("{defense: standard}", "{defense: standrad}"),
        ["mine.yaml:10", "rows.Standard.defense", "did you mean \"standard\""]
      ),
      (
        recipe("attack: pgd-40", "attack: pdg-40"),
        ["mine.yaml:19", "columns.PGD-40.attack", "did you mean \"pgd\""]
      ),
      (recipe("attack: pgd-40", "attack: \"clean,pgd-2\""), ["one attack, not a list"]),
      (
        ReproduceFixtures.recipe + probe("clean,pgd-2"),
        ["probes.Pairings.attack", "always measured: leave clean out"]
      ),
      (
        recipe("attack: autoattack", "attack: cw-20"),
        ["columns.AA.attack", "cw has no linf form"]
      ),
      (
        recipe("model: {width: 4}", "model: {architecture: resnet81}"),
        ["mine.yaml:4", "settings: model.architecture", "did you mean \"resnet18\""]
      ),
      (
        recipe("name: cifar10", "name: cifar11"),
        ["mine.yaml:8", "L∞.settings: data.name", "cifar11", "did you mean \"cifar10\""]
      ),
      (
        recipe("namid: {alpha: 1}", "namid: {alhpa: 1}"),
        ["mine.yaml:5", "settings: unknown key \"namid.alhpa\"", "did you mean \"namid.alpha\""]
      ),
      (
        recipe("namid: {alpha: 1}", "training: {epochs: 0}"),
        ["mine.yaml:5", "settings: training.epochs", "must be at least 1"]
      ),
      (
        recipe(
          "{defense: standard}", "{defense: standard, settings: {namid: {alpha: 1}}}"),
        ["mine.yaml:10", "rows.Standard.settings.namid", "standard does not read it"]
      ),
      (
        recipe("namid: {alpha: 1}", "seed: 3"),
        ["mine.yaml:5", "settings.seed", "rows and seeds"]
      ),
      (
        recipe("estimators: ours", "estimators: our"),
        ["mine.yaml:13", "there is no estimators \"our\"", "did you mean \"ours\""]
      ),
      (
        recipe("target: Standard", "target: Stadnard"),
        ["mine.yaml:16", "there is no row \"Stadnard\"", "did you mean \"Standard\""]
      ),
      (
        recipe("    estimators: ours", ""),
        ["rows.NAMID", "estimators", "must name a folder of trained estimators"]
      ),
      (
        recipe("target: Standard", "target: Standard\n    settings: {untis: 3}"),
        [
          "mine.yaml:17", "estimators.ours.settings: unknown key \"untis\"",
          "did you mean \"units\"",
        ]
      ),
      (
        recipe("model: {width: 4}", "model: {width: 1000000}"),
        ["mine.yaml:4", "rows.Standard: the network resnet18 cannot be built", "65536"]
      ),
      (recipe("paper: table1", "seeds: [0, -1]"), ["mine.yaml:2", "seeds: must not be negative"]),
      (
        recipe("{defense: standard}", "{defense: standard, seeds: [-2]}"),
        ["mine.yaml:10", "rows.Standard.seeds: must not be negative"]
      ),
      ("", ["mine.yaml: parts: must name at least one data set"]),
      (recipe("limit: 100", "limit: 0"), ["columns.AA.limit", "at least 1"]),
      (
        recipe(
          "AA: {attack: autoattack, limit: 100}",
          "DDN: {attack: ddn-20, reading: any-size}\nsurrogate: Standard"),
        ["mine.yaml:20", "columns.DDN.reading", "a surrogate makes the images"]
      ),
    ]
    expect(mistakes)
  }

  private func expect(_ mistakes: [(text: String, said: [String])]) {
    for (text, said) in mistakes {
      let message = message(text) ?? "nothing"
      for words in said { #expect(message.contains(words), "\(message)") }
    }
  }

  /// What would fail after hours of training is said before it.
  @Test func whatCanOnlyFailLaterIsSaidAtOnce() {
    let one =
      "  None: {attack: clean}\n  PGD-40: {attack: pgd-40}\n  AA: {attack: autoattack, limit: 100}"
    expect([
      (
        recipe("target: Standard", "target: Standard\n    kind: standard"),
        [
          "rows.NAMID.estimators",
          "reads estimators of kind natural-adversarial, and ours are of kind standard",
        ]
      ),
      (
        recipe("defense: namid", "defense: trades"),
        [
          "mine.yaml:13",
          "rows.NAMID.estimators: the defense trades reads no estimators: leave ours out",
        ]
      ),
      (
        recipe("target: Standard", "target: Standard\n    settings: {data: {name: cifar100}}"),
        ["mine.yaml:17", "estimators.ours.settings.data.name", "their target's data set"]
      ),
      (
        recipe("target: Standard", "target: Standard\n    settings: {batchSize: 50000}"),
        ["estimators.ours", "batchSize is 50000, and there are 49000 images"]
      ),
      (
        recipe("target: Standard", "target: Standard\n    settings: {epochs: 900000000000000000}"),
        ["estimators.ours.settings: epochs", "at most 1000000"]
      ),
      (
        recipe("target: Standard", "target: Standard\n    settings: {units: 1000000}"),
        ["estimators.ours.settings: units", "from 1 to 16384"]
      ),
      (
        recipe("namid: {alpha: 1}", "data: {validation: 50000}"),
        ["mine.yaml:5", "rows.Standard: data.validation holds 50000 of 50000 training images out"]
      ),
      (
        recipe("{defense: standard}", "{defense: standard, settings: {threat: {epsilon: 4/255}}}"),
        ["mine.yaml:10", "rows.Standard.settings.threat", "one data set and one ball"]
      ),
      (
        recipe(
          "{defense: standard}", "{defense: standard, settings: {data: {name: fashion-mnist}}}"),
        ["rows.Standard.settings.data.name", "say it in a part"]
      ),
      (
        recipe("{attack: pgd-40}", "{attack: pgd-40, reading: any-size}"),
        ["mine.yaml:19", "columns.PGD-40.reading", "cw, ddn, fmn, fab", "pgd-40 does not"]
      ),
      (
        recipe(one, "  DDN: {attack: ddn-20, norms: [l2]}"),
        ["columns: none is for the norm linf of the part CIFAR-10, L∞"]
      ),
      (
        recipe("{defense: standard}", "{defense: standard, shown: false}")
          .replacing("    estimators: ours", with: "    estimators: ours\n    shown: false"),
        ["rows: none is shown"]
      ),
      (
        recipe("target: Standard", "target: Hidden").replacing(
          "  Standard:",
          with: "  Hidden: {defense: namid, estimators: ours, shown: false}\n  Standard:"),
        ["rows.Hidden needs estimators.ours needs rows.Hidden"]
      ),
      (recipe("  Standard:", "  \"Stan\\ndard\":"), ["rows: must have names of one line"]),
      (
        ReproduceFixtures.recipe
          + "\nprobes:\n  P: {kind: compare, network: Standard, eq4: ours, eq5: ours, attack: pgd-2}\n",
        [
          "probes.P.eq4", "ours do not answer its question",
          "objective is eq5, where eq4 is compared",
        ]
      ),
    ])
    let standard = recipe("target: Standard", "target: Standard\n    kind: standard")
      .replacing("defense: namid", with: "defense: wmim")
    #expect(message(standard) == nil)
    #expect(
      message(standard + probe("pgd-2"))?.contains("threat.epsilon 0 in their settings") == true)
  }

  /// A recipe of one's own that names a table of the paper is compared with the tool's recipe of it.
  @Test func recipesOfOnesOwnAreComparedWithThePapers() throws {
    func differences(_ text: String) throws -> [String] {
      var file = try ReproduceFixtures.file(text)
      try file.follow(ReproduceFixtures.catalog)
      var builder = PlanBuilder(
        file, facts: try ReproduceFixtures.facts(of: file),
        catalog: .standard,
        command: ReproduceFixtures.command)
      return try builder.build().table.differences
    }
    let found = try differences(ReproduceFixtures.recipe)
    #expect(found.contains("base width: 4 instead of 64"), "\(found)")
    #expect(found.contains { $0.hasPrefix("rows left out: WMIM; TRADES") }, "\(found)")
    #expect(found.contains("α of NAMID: 1.0 instead of 5.0 (NAMID)"), "\(found)")
    #expect(found.contains("test images: 100 instead of all (AA)"), "\(found)")
    for (text, said) in [
      (
        recipe("paper: table1", "paper: tabel1"),
        "no table or figure of the paper \"tabel1\": did you mean \"table1\""
      ),
      (
        recipe("{attack: clean}", "{attack: clean, paper: Nnoe}"),
        "no column of the paper's table \"Nnoe\": did you mean \"None\""
      ),
    ] {
      do {
        _ = try differences(text)
        Issue.record("\(text) was accepted")
      } catch {
        #expect("\(error)".contains(said) && "\(error)".contains("mine.yaml:"), "\(error)")
      }
    }
  }

  /// A recipe takes what it names from the tool's base, and figures of its own are those that it is compared with.
  @Test func aRecipeExtendsAnother() throws {
    let text = """
      extends: base.yaml
      paper: somebody's table
      parts:
        - mine: {settings: {data: {name: cifar10}}, paper: theirs}
      rows:
        - TRADES: {settings: {trades: {beta: 3}}}
        - Standard
      estimators: []
      columns: [None, CW, PGD-40]
      figures:
        theirs: {columns: [PGD-40], rows: {TRADES: ["50.1 ± 0.3"]}}
      """
    let recipe = try ReproduceFixtures.file(text, preset: "cpu").recipe
    #expect(recipe.parts.names == ["mine"] && recipe.estimators.isEmpty)
    #expect(recipe.rows.names == ["TRADES", "Standard"])
    #expect(recipe.rows["TRADES"]?.defense == "trades")
    #expect(recipe.columns.names == ["None", "CW", "PGD-40"])
    #expect(recipe.columns["CW"]?.limit == 1000)
    #expect(recipe.settings["training"]?["epochs"] == 6)
    let table = try ReproduceFixtures.plan(text, preset: "cpu").table
    #expect(table.figures["theirs"]?["TRADES", "PGD-40"]?.mean == 50.1)
    let remarks = table.differences.filter { $0.hasPrefix("the paper does not give the weight") }
    #expect(
      remarks == ["the paper does not give the weight of TRADES; here it is 6, also in NAMID_T"])
    #expect(!table.differences.contains { $0.contains("AutoAttack") })
    let wrong = text.replacing("CW, PGD-40]", with: "CW, PDG-40]")
    #expect(
      message(wrong)?.contains("mine.yaml:9: columns[2]: unknown choice \"PDG-40\"") == true,
      "\(message(wrong) ?? "")")
    let deep = text.replacing("beta: 3", with: "bete: 3")
    #expect(
      message(deep)?.contains("mine.yaml:6: rows.TRADES.settings") == true, "\(message(deep) ?? "")"
    )
  }

  @Test func whatNeedsItselfIsNamed() {
    let message = message(recipe("target: Standard", "target: NAMID"))
    #expect(message?.contains("mine.yaml:11") == true, "\(message ?? "")")
    #expect(
      message?.contains("rows.NAMID needs estimators.ours needs rows.NAMID") == true,
      "\(message ?? "")")
  }

  @Test func aPresetChangesWhatItSaysAndNothingElse() throws {
    let file = try ReproduceFixtures.file(preset: "small")
    #expect(file.recipe.settings["model"]?["width"]?.intValue == 2)
    #expect(file.reference.settings["model"]?["width"]?.intValue == 4)
    #expect(file.recipe.rows == file.reference.rows)
    let table = try ReproduceFixtures.plan(preset: "small").table
    #expect(table.differences == ["base width: 2 instead of 4"])
  }

  /// Section 4.1 of the paper, number by number; epochs are counted from 0.
  @Test func theDefaultsAreThePapersNumbers() {
    let paper = RunConfiguration()
    #expect(paper.training.epochs == 100 && paper.training.batchSize == 1024)
    #expect(paper.optimizer.kind == .sgd && paper.optimizer.learningRate == 0.1)
    #expect(paper.optimizer.momentum == 0.9 && paper.optimizer.weightDecay == 2e-4)
    #expect(paper.schedule.kind == .multiStep && paper.schedule.gamma == 0.1)
    #expect(paper.schedule.milestones == [74, 89])
    #expect(paper.attack.steps == 10 && paper.attack.stepSize == nil)
    #expect(paper.model.architecture == "resnet18" && paper.model.width == nil)
    #expect(paper.data.name == "cifar10" && paper.data.limit == nil)
    #expect(NAMID.Settings().alpha == 5 && NAMID.Settings().lambda == 0.1)
    let epsilon = paper.threat.epsilon.value
    let attack = paper.attack.attack(in: paper.threat)
    #expect(epsilon == 8.0 / 255 && attack.pgd.settings.stepSize == epsilon / 4)
  }

  /// The cheaper AutoAttack of the preset cpu has the paper's figure for AutoAttack.
  @Test func columnsOfAPresetKeepThePapersName() throws {
    let file = try RecipeFile(ReproduceFixtures.catalog.file(of: "figure2"), preset: "cpu")
    var builder = PlanBuilder(
      file, facts: try ReproduceFixtures.facts(of: file),
      catalog: .standard,
      command: ReproduceFixtures.command)
    let columns = try #require(try builder.build().table.parts.first?.columns)
    #expect(columns.map(\.paper) == ["pgd-10", "pgd-40", "fwa-10", "fwa-40", "autoattack"])
    #expect(columns.last?.name == "autoattack-20-200q")
    #expect(
      PaperFigure("0.485")?.text == "0.485" && PaperFigure("44.79 ± 0.5")?.text == "44.79 ± 0.50")
  }

  /// What the paper says is what the tool does where nothing else is said.
  @Test func thePresetPaperIsTheDefaultSetting() throws {
    let catalog = ReproduceFixtures.catalog
    for name in catalog.names {
      let file = try RecipeFile(catalog.file(of: name), preset: "paper")
      #expect(file.recipe == file.reference, "\(name)")
      for (row, part) in file.recipe.rows.names.flatMap({ row in
        file.recipe.parts.names.map { (row, $0) }
      }) {
        let found = try RecipeSettings(file, catalog: .standard).training(row: row, part: part)
        var expected = RunConfiguration()
        expected.defense = found.defense
        expected.estimators = found.estimators
        // Tiny-ImageNet, the L2 ball, the surrogate and the ablations are what a table is about.
        expected.settings = found.settings
        expected.data.name = found.data.name
        expected.threat = found.threat
        expected.model.architecture = row == "Surrogate" ? "vgg19" : "resnet18"
        #expect(found == expected, "\(name), \(row), \(part)")
        let epsilon = part.hasSuffix("L2") ? 0.5 : 8.0 / 255
        #expect(found.threat.epsilon.value == epsilon)
        let isAblation = name == "figure5" && row.hasPrefix("i")
        #expect(isAblation || found.namid == NAMID.Settings(), "\(name), \(row)")
      }
    }
  }

  @Test func settingsAreWordsThatReadBack() throws {
    let tree: JSONValue = [
      "a": ["b": "8/255", "c": "true", "d": "1e-3", "e": "x y"], "f": [1, 2], "g": nil,
      "h": 0.5, "i": "resnet18", "j": "",
    ]
    let texts = SettingText.all(of: tree).map(\.text)
    #expect(
      texts == [
        "a.b=8/255", "a.c=\"true\"", "a.d=\"1e-3\"", "a.e=\"x y\"", "f=[1,2]", "g=null", "h=0.5",
        "i=resnet18", "j=\"\"",
      ])
    struct Values: Codable, Equatable {
      struct Inner: Codable, Equatable {
        var b = "", c = "", d = "", e = ""
      }
      var a = Inner()
      var f = [0]
      var g: Int? = 3
      var h = 0.0
      var i = ""
      var j = "full"
    }
    let read = try ConfigurationLoader.load(defaults: Values(), overrides: texts)
    #expect(try JSONValue(encoding: read) == tree)
  }

  @Test func recipesAreFoundByName() throws {
    let catalog = ReproduceFixtures.catalog
    let names = ["2", "4", "5", "7"].map { "figure\($0)" } + (1...6).map { "table\($0)" }
    #expect(catalog.names == names)
    #expect(throws: RecipeError.unknown("tabel1", suggestion: "table1", known: names)) {
      try catalog.file(of: "tabel1")
    }
    let folder = catalog.folder
    let found = try [
      ["NAMID_RECIPES": folder.path], ["NAMID_ROOT": folder.deletingLastPathComponent().path],
    ].map { try RecipeCatalog(environment: $0, executable: nil).folder.path }
    #expect(found.allSatisfy { $0 == folder.path })
    let tool = folder.deletingLastPathComponent().appending(path: ".build/x/release/namid")
    #expect(try RecipeCatalog(environment: [:], executable: tool).folder.path == folder.path)
    #expect(throws: RecipeError.noneFound(lookedIn: ["/nowhere"])) {
      try RecipeCatalog(environment: ["NAMID_RECIPES": "/nowhere"], executable: tool)
    }
  }

  /// Every table has the rows and columns that the paper's has, and names that its figures are found by.
  @Test func thePapersFiguresFitTheRecipes() throws {
    var found = 0
    for name in ReproduceFixtures.catalog.names {
      let table = try ReproduceFixtures.shipped(name, preset: "paper").table
      #expect(table.paper == name)
      #expect(table.differences.allSatisfy { !$0.contains("instead of") }, "\(name)")
      for part in table.parts {
        let theirs = try #require(table.figures[part.paper], "\(name), \(part.paper)")
        #expect(part.rows.map(\.name).sorted() == theirs.rows.names.sorted(), "\(name)")
        let columns = Set(part.columns.map(\.paper))
        #expect(columns.isSuperset(of: theirs.columns), "\(name)")
        found += theirs.rows.entries.reduce(0) { $0 + $1.value.count { !$0.isEmpty } }
      }
    }
    #expect(found == 126 + 12 + 70 + 56 + 30 + 24 + 15 + 8 + 10 + 8)
    let table = try RecipeFile(ReproduceFixtures.catalog.file(of: "table3"), preset: "cpu").recipe
    let figure = table.figures["CIFAR-10, L∞"]?["NAMID", "PGD-40"]
    #expect(table.figures["CIFAR-10, L∞"]?["NAMID", "CW"] == nil)
    #expect(figure?.mean == 44.79 && figure?.deviation == 0.5)
    #expect(figure?.text == "44.79 ± 0.50")
    #expect(
      PaperFigure("44.79 ± ") == nil && PaperFigure("x") == nil && PaperFigure("1±2±3") == nil)
  }
}
