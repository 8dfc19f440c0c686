import Foundation
import NamidTestSupport
import Testing

@testable import NamidFiles
@testable import NamidSettings

@Suite struct ConfigurationPresetsTests {
  struct Kitchen: Codable, Equatable {
    struct Oven: ConfigurationGroup, Equatable {
      var degrees = 180
      var fan = false
    }

    var name = "home"
    var oven = Oven()
    var pans: [String: Int?] = [:]
  }

  private func read(
    _ files: [String: String], preset: String? = nil
  ) throws -> ConfigurationWithPresets<Kitchen> {
    try withTemporaryFolder { folder in
      for (name, text) in files {
        try AtomicFile.write(Data(text.utf8), to: folder.appending(path: name))
      }
      return try ConfigurationWithPresets(
        defaults: Kitchen(), file: folder.appending(path: "k.yaml"), preset: preset)
    }
  }

  private func read(_ text: String, preset: String?) throws -> ConfigurationWithPresets<Kitchen> {
    try read(["k.yaml": text], preset: preset)
  }

  private let text = """
    name: big
    oven: {degrees: 200}
    pans: {small: 1, large: 2}
    presets:
      hot:
        oven:
          degrees: 250
      poor:
        pans: {large: null}
      wrong:
        oven:
          degrese: 1
      idle:
        pans: {lagre: null}
    """

  @Test func aPresetIsLaidOverTheRest() throws {
    #expect(try read(text, preset: nil).configuration.oven.degrees == 200)
    let hot = try read(text, preset: "hot")
    #expect(hot.configuration.oven == Kitchen.Oven(degrees: 250, fan: false))
    #expect(hot.configuration.name == "big")
    #expect(hot.origins.origin(of: "oven.degrees")?.hasSuffix("k.yaml:7") == true)
    #expect(hot.origins.origin(of: "name")?.hasSuffix("k.yaml:1") == true)
    #expect(try read(text, preset: "poor").configuration.pans == ["small": 1, "large": nil])
  }

  @Test func mistakesAreNamedWithTheirLines() throws {
    let mistakes = [
      ("wrong", ["k.yaml:12", "oven.degrese", "did you mean \"oven.degrees\""]),
      ("idle", ["k.yaml:14", "pans.lagre", "did you mean \"large\""]),
      ("warm", ["k.yaml:4", "unknown choice \"warm\"", "hot, poor"]),
    ]
    for (preset, said) in mistakes {
      let message = try #require(message { _ = try read(text, preset: preset) })
      for words in said { #expect(message.contains(words), "\(message)") }
    }
    let message = try #require(message { _ = try read("presets: [1]", preset: nil) })
    #expect(message.contains("expected a group of presets"), "\(message)")
  }

  private let base = """
    name: base
    oven: {degrees: 200, fan: true}
    pans: {small: 1, middle: 2, large: 3}
    presets:
      hot:
        oven: {degrees: 250}
        pans: {large: 30, middle: null}
      cold:
        oven: {degrese: 20}
    """

  /// Values of the base, of the file, of the base's preset and of the file's.
  @Test func aFileIsLaidOverTheOneThatItExtends() throws {
    let own = """
      extends: base.yaml
      oven:
        degrees: 220
      presets:
        hot: {name: hot}
        mine: {pans: {small: 9}}
      """
    let files = ["base.yaml": base, "k.yaml": own]
    let plain = try read(files)
    #expect(plain.configuration.oven == Kitchen.Oven(degrees: 220, fan: true))
    #expect(plain.configuration.pans == ["small": 1, "middle": 2, "large": 3])
    #expect(plain.origins.origin(of: "oven.degrees")?.hasSuffix("k.yaml:3") == true)
    #expect(plain.origins.origin(of: "pans.small")?.hasSuffix("base.yaml:3") == true)
    let hot = try read(files, preset: "hot")
    #expect(hot.configuration.oven.degrees == 250 && hot.configuration.name == "hot")
    #expect(hot.configuration.pans == ["small": 1, "middle": nil, "large": 30])
    #expect(hot.origins.origin(of: "oven.degrees")?.hasSuffix("base.yaml:6") == true)
    #expect(try read(files, preset: "mine").configuration.pans["small"] == 9)
    let wrong = try #require(message { _ = try read(files, preset: "cold") })
    #expect(wrong.contains("base.yaml:9: unknown key \"oven.degrese\""), "\(wrong)")
    let unknown = try #require(message { _ = try read(files, preset: "warm") })
    #expect(unknown.contains("k.yaml:4") && unknown.contains("hot, cold, mine"), "\(unknown)")
  }

  @Test func aFileThatExtendsMayBeExtended() throws {
    let files = [
      "base.yaml": base, "middle.yaml": "extends: base.yaml\npans: [large]",
      "k.yaml": "extends: middle.yaml\npans: {small: 4}",
    ]
    #expect(try read(files).configuration.pans == ["large": 3, "small": 4])
    #expect(try read(files, preset: "hot").configuration.pans == ["large": 30, "small": 4])
  }

  /// Members that a file leaves out are gone from the base's presets, too, in both spellings.
  @Test func aListKeepsTheMembersThatItNames() throws {
    let list = "extends: base.yaml\npans:\n  - large\n  - huge: 7\n  - small: 5\n"
    let kept = try read(["base.yaml": base, "k.yaml": list])
    #expect(kept.configuration.pans == ["large": 3, "huge": 7, "small": 5])
    #expect(kept.origins.origin(of: "pans.huge")?.hasSuffix("k.yaml:4") == true)
    #expect(
      try read(["base.yaml": base, "k.yaml": list], preset: "hot").configuration.pans
        == ["large": 30, "huge": 7, "small": 5])
    let removal = "extends: base.yaml\npans: {large: null}"
    #expect(
      try read(["base.yaml": base, "k.yaml": removal], preset: "hot").configuration.pans
        == ["small": 1, "middle": nil, "large": nil])
  }

  @Test func whatCannotBeExtendedIsNamed() throws {
    let circle = ["k.yaml": "extends: b.yaml", "b.yaml": "name: x\nextends: k.yaml"]
    let mistakes: [(files: [String: String], said: String)] = [
      (
        circle,
        "b.yaml:2: extends: files extend each other: k.yaml, b.yaml, k.yaml"
      ),
      (["k.yaml": "extends: ../base.yaml"], "the name of a file in the same folder"),
      (["k.yaml": "extends: [a.yaml]"], "the name of a file in the same folder"),
      (["k.yaml": "extends: none.yaml"], "none.yaml"),
      (
        ["base.yaml": base, "k.yaml": "extends: base.yaml\npans:\n  - larg"],
        "k.yaml:3: pans[0]: unknown choice \"larg\""
      ),
      (
        ["base.yaml": base, "k.yaml": "extends: base.yaml\npans: [large, large]"], "named twice"
      ),
      (
        ["base.yaml": base, "k.yaml": "extends: base.yaml\npans: [3]"], "a name, or name: value"
      ),
      (
        ["base.yaml": base, "k.yaml": "extends: base.yaml\npans: {larg: null}"],
        "k.yaml:2: unknown key \"pans.larg\""
      ),
    ]
    for (files, said) in mistakes {
      let message = try #require(message { _ = try read(files) })
      #expect(message.contains(said), "\(message)")
    }
  }
}
