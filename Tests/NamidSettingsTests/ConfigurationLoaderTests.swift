import Foundation
import NamidTestSupport
import Testing
@testable import NamidFiles
@testable import NamidSettings

struct Settings: Codable, Equatable {
  struct Attack: Codable, Equatable {
    var epsilon = Fraction(8, over: 255)
    var steps = 10
  }

  struct Average: ConfigurationGroup, Equatable {
    var decay = 0.999
    var every = 1

    func validate() throws {
      try require(decay >= 0 && decay < 1, "decay", "must lie in [0, 1)")
    }
  }

  enum Kind: String, Codable, CaseIterable {
    case natural
    case standard
    case namid
  }

  struct Defense: Codable, Equatable {
    var kind = Kind.standard
    var alpha = 1.0
    var lambda = 5.0
    var warmUp: Int?
  }

  var name = "run"
  var epochs: UInt16 = 14
  var learningRate = 0.1
  var milestones = [7, 11]
  var augment = true
  var note: String?
  var attack = Attack()
  var defense = Defense()
  var average: Average?
  var widths = ["small": 16]
}

@Suite struct ConfigurationLoaderTests {
  private func load(_ file: String? = nil, as name: String = "a.yaml", _ overrides: [String] = [])
    throws -> Settings
  {
    try withTemporaryFolder { folder in
      var url: URL?
      if let file {
        let target = folder.appending(path: name)
        try AtomicFile.write(Data(file.utf8), to: target)
        url = target
      }
      return try ConfigurationLoader.load(defaults: Settings(), file: url, overrides: overrides)
    }
  }

  @Test func nothingSaidMeansDefaults() throws {
    #expect(try load() == Settings())
    #expect(try load("# only a comment\n") == Settings())
    #expect(try load("{}", as: "a.json") == Settings())
  }

  @Test func fileThenOverridesAreLaidOverTheDefaults() throws {
    let file = """
      epochs: 20
      learningRate: 1e-3
      attack:
        epsilon: 4/255
      defense: {kind: namid, lambda: 3}
      milestones: [10]
      """
    let settings = try load(
      file, ["defense.lambda=2.5", "attack.steps=7", "defense.lambda = 4", "augment=false"])
    var expected = Settings()
    expected.epochs = 20
    expected.learningRate = 0.001
    expected.attack = .init(epsilon: Fraction(4, over: 255), steps: 7)
    expected.defense.kind = .namid
    expected.defense.lambda = 4
    expected.milestones = [10]
    expected.augment = false
    #expect(settings == expected)
  }

  @Test func jsonSaysTheSame() throws {
    let json = #"{"epochs": 20, "attack": {"epsilon": "4/255"}, "note": "n"}"#
    let yaml = "epochs: 20\nattack:\n  epsilon: 4/255\nnote: n\n"
    #expect(try load(json, as: "a.json") == load(yaml, as: "a.yml"))
  }

  @Test func whatIsNilByDefaultCanBeSet() throws {
    #expect(try load(nil, ["defense.warmUp=3"]).defense.warmUp == 3)
    #expect(try load(nil, ["note=some text"]).note == "some text")
    #expect(try load(nil, ["average.decay=0.9"]).average == .init(decay: 0.9, every: 1))
    #expect(try load("average: {every: 2}").average == .init(decay: 0.999, every: 2))
    #expect(try load("note: x", ["note=null"]).note == nil)
  }

  @Test func freeKeysStayFree() throws {
    #expect(try load(nil, ["widths.large=64"]).widths == ["small": 16, "large": 64])
  }

  @Test(arguments: [
    ("name=\"\"", ""), ("name='8'", "8"), ("name=no", "no"), ("name=1:30", "1:30"),
    ("name=\"a: b\"", "a: b"), ("name=a=b", "a=b"), ("name=2024-01-01", "2024-01-01"),
    ("name=1_000", "1_000"), ("name=.", "."),
  ])
  func textsAreReadByTheRulesOfYAML12(override: String, expected: String) throws {
    #expect(try load(nil, [override]).name == expected)
  }

  @Test func numbersAreReadInEverySpelling() throws {
    #expect(try load(nil, ["learningRate=1e-4"]).learningRate == 1e-4)
    #expect(try load(nil, ["learningRate=-.5"]).learningRate == -0.5)
    #expect(try load(nil, ["learningRate=.inf"]).learningRate == .infinity)
    #expect(try load(nil, ["learningRate=1"]).learningRate == 1)
    #expect(try load(nil, ["epochs=0x10"]).epochs == 16)
    #expect(try load(nil, ["epochs=1e2"]).epochs == 100)
    #expect(try load(nil, ["milestones=[]"]).milestones == [])
  }

  @Test func renderingIsReadableAndLoadsBack() throws {
    var settings = Settings()
    settings.name = "8/255: \"yes\"\nand ü"
    settings.learningRate = 1e-5
    settings.note = "null"
    settings.defense.kind = .namid
    settings.average = .init(decay: 0.5)
    settings.widths = ["large": 64, "small": 16, "1": 1]
    let yaml = try ConfigurationLoader.render(settings)
    #expect(try load(yaml) == settings)
    #expect(
      try ConfigurationLoader.render(Settings()) == """
        name: run
        epochs: 14
        learningRate: 0.1
        milestones: [7, 11]
        augment: true
        note: null
        attack:
          epsilon: 8/255
          steps: 10
        defense:
          kind: standard
          alpha: 1.0
          lambda: 5.0
          warmUp: null
        average: null
        widths:
          small: 16

        """)
  }

  @Test(arguments: [
    "yes", "No", "on", "~", "1.5", "0x1F", "", " x", "x ", "a#b", "# a", "-", "- a", "a:", "{",
    "*a",
    "&a", "!a", "%", "@x", "`", "a,b", ".inf", "true", "\t", "\u{1}", "'", "é", "1e5", "...", "y",
  ])
  func anyTextSurvivesRendering(text: String) throws {
    var settings = Settings()
    settings.name = text
    settings.widths = [text: 1]
    let loaded = try load(ConfigurationLoader.render(settings))
    #expect(loaded.name == text)
    #expect(loaded.widths[text] == 1)
  }

  /// Readers by the rules of YAML 1.1 take such texts for dates and numbers, though ours does not.
  @Test(arguments: [
    ("2026-11-22", true), ("12e345", true), ("1_000", true), ("1.2.3", true), ("8/255", false),
    ("12ab", false), ("e12", false),
  ])
  func textsLikeNumbersAreQuoted(text: String, isQuoted: Bool) throws {
    let yaml = try ConfigurationLoader.render(["name": text])
    #expect(yaml == "name: " + (isQuoted ? "\"\(text)\"" : text) + "\n")
  }
}
