import ArgumentParser
import Foundation
import Records

/// What every verb that trains takes: where the run goes, and where its settings come from.
struct RunOptions: ParsableArguments {
  /// Where settings start.
  enum Preset: String, CaseIterable, ExpressibleByArgument {
    case paper
    case reference
  }

  @Option(help: ArgumentHelp("The run's folder; made if missing.", valueName: "folder"))
  var out: String
  @Flag(help: "Continue a run that was stopped; start it if there is none.")
  var resume = false
  @Option(help: "Seed of all random numbers.")
  var seed: Int?
  @Option(help: ArgumentHelp("Where settings start: paper or reference.", valueName: "name"))
  var preset = Preset.paper
  @Option(help: ArgumentHelp("A YAML or JSON file with settings.", valueName: "file"))
  var config: String?
  @Option(help: ArgumentHelp("One setting by its key in config.yaml.", valueName: "k=v"))
  var set: [String] = []
  @Option(help: ArgumentHelp("A data set's name, see `namid data`.", valueName: "name"))
  var dataset: String?
  @Option(help: ArgumentHelp("Radius of the ball, such as 8/255.", valueName: "radius"))
  var epsilon: Fraction?
  @Option(help: "Passes over the training images.")
  var epochs: Int?
  @Flag(help: "Print the resolved settings and stop.")
  var dryRun = false
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  /// The run's folder.
  var folder: URL { URL(filePath: out) }

  /// The settings: defaults, then the file, then flags, then `--set`.
  ///
  /// - Parameters:
  ///   - defaults: Where settings start.
  ///   - epochsKey: The key that `--epochs` stands for.
  ///   - flags: Keys and values of the verb's own flags; nil where a flag was not given.
  /// - Returns: The settings.
  /// - Throws: `ConfigurationError` naming the key and what would be right.
  func resolved<Configuration: Codable>(
    _ defaults: Configuration, epochsKey: String, flags: [(key: String, value: String?)]
  ) throws -> Configuration {
    let common: [(key: String, value: String?)] = [
      ("data.name", dataset.map(quoted)),
      ("threat.epsilon", epsilon.map { quoted($0.description) }),
      (epochsKey, epochs.map(String.init)), ("seed", seed.map(String.init)),
    ]
    return try ConfigurationLoader.load(
      defaults: defaults, file: config.map { URL(filePath: $0) },
      overrides: (common + flags).compactMap { key, value in value.map { "\(key)=\($0)" } } + set)
  }

  /// A text as a YAML string, so that no character in it is read as something else.
  func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
