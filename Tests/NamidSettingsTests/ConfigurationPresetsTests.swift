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

  private func read(_ text: String, preset: String?) throws -> ConfigurationWithPresets<Kitchen> {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "k.yaml")
      try AtomicFile.write(Data(text.utf8), to: file)
      return try ConfigurationWithPresets(defaults: Kitchen(), file: file, preset: preset)
    }
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
}
