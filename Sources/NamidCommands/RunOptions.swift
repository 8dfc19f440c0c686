import ArgumentParser
import Foundation
import NamidSettings
import NamidTraining

/// The options of every verb that trains: the place of the run, and the sources of its settings.
struct RunOptions: ParsableArguments {
  /// The settings below all others.
  enum Preset: String, CaseIterable, ExpressibleByArgument {
    case balanced, paper, reference, own
  }

  @Option(
    help: ArgumentHelp(
      "The run's folder; made if missing. Not needed with --dry-run.", valueName: "folder"))
  var out: String?
  @Flag(help: "Continue a run that was stopped; start it if there is none.")
  var resume = false
  @Option(help: "Seed of all random numbers.")
  var seed: Int?
  @Option(
    help: ArgumentHelp(
      "One run per seed, such as 0,1,2, into seed-N below the folder.",
      discussion: "{seed} in a folder's name stands for the seed.", valueName: "list"))
  var seeds: SeedList?
  @Option(
    help: ArgumentHelp(
      "Where settings start: balanced (the paper's, with added MI terms held to half of the loss's "
        + "gradient), paper, reference (the authors' code) or own (those of the defense's own paper).",
      discussion: "Default: balanced; a run of an earlier version is resumed as paper.",
      valueName: "name"))
  var preset: Preset?
  @Option(help: .init("A YAML or JSON file with settings.", valueName: "file"))
  var config: String?
  @Option(help: .init("One setting by its key in config.yaml.", valueName: "k=v"))
  var set: [String] = []
  @Option(help: .init("A data set's name, see `namid data`.", valueName: "name"))
  var dataset: String?
  @Option(help: .init("Radius of the ball, such as 8/255.", valueName: "radius"))
  var epsilon: Fraction?
  @Option(help: "Passes over the training images.")
  var epochs: Int?
  @Flag(help: "Print the resolved settings and stop.")
  var dryRun = false
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if out == nil && !dryRun {
      throw ValidationError("Missing expected argument '--out <folder>': where the run goes")
    }
    if seed != nil && seeds != nil {
      throw ValidationError("--seed and --seeds exclude each other")
    }
  }

  /// Carries out all runs one after the other; with --dry-run only prints the settings.
  ///
  /// Everything that can be refused without training is refused before the first of several runs begins.
  ///
  /// - Parameters:
  ///   - resolved: The settings of a folder, nil in a dry run, and a seed, nil where the configuration says which.
  ///   - work: Trains.
  /// - Throws: An error when settings are wrong, or a folder holds files that must not be overwritten.
  func carryOut<Settings: Codable>(
    _ resolved: (URL?, Int?) throws -> Settings, _ work: (Settings, URL, Workplace) throws -> Void
  ) throws {
    if dryRun {
      print(try ConfigurationLoader.render(resolved(nil, seed)), terminator: "")
      return
    }
    let workplace = Workplace(data: data.directory, device: try device.prepare())
    let plans = try runs.map { run in
      try RunFolder.check(run.folder, resume: resume)
      return (folder: run.folder, settings: try resolved(run.folder, run.seed))
    }
    for plan in plans { try work(plan.settings, plan.folder, workplace) }
  }

  /// The folders of all runs, each with its seed; nil where the configuration says which.
  private var runs: [(folder: URL, seed: Int?)] {
    guard let out else { return [] }
    let root = URL(filePath: out)
    guard let seeds else { return [(root, seed)] }
    return seeds.values.map { (root.appending(path: "seed-\($0)"), $0) }
  }

  /// Lists texts of the form `key.path=value` from flags, then from `--set`.
  ///
  /// - Parameters:
  ///   - epochsKey: The key that `--epochs` stands for.
  ///   - flags: Keys and values of the verb's own flags; nil where a flag was not given.
  ///   - seed: The seed of the run; nil leaves it to the configuration.
  /// - Returns: The texts in the order in which they are laid over each other.
  func overrides(
    epochsKey: String, flags: [(key: String, value: String?)], seed: Int?
  ) -> [String] {
    let common: [(key: String, value: String?)] = [
      ("data.name", dataset.map(quoted)),
      ("threat.epsilon", epsilon.map { quoted($0.description) }),
      (epochsKey, epochs.map(String.init)), ("seed", seed.map(String.init)),
    ]
    return (common + flags).compactMap { key, value in value.map { "\(key)=\($0)" } } + set
  }

  /// The file of `--config`.
  var file: URL? { config.map { URL(filePath: $0) } }

  /// A text as a YAML string, so that no character in it is read as something else.
  func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

/// Seeds separated by commas.
struct SeedList: ExpressibleByArgument {
  let values: [Int]

  /// Parses `0,1,2`; nil for anything else and for a seed that comes twice.
  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { Int($0.trimmingPrefix(while: \.isWhitespace)) }
    guard values.count == parts.count, Set(values).count == values.count else { return nil }
    self.values = values
  }
}

/// A folder's name with a run's seed in place of `{seed}`.
func insertingSeed(_ seed: Int, into folder: String) -> String {
  folder.replacing("{seed}", with: "\(seed)")
}
