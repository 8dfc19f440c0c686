import ArgumentParser
import Datasets
import Foundation
import Models
import Records
import Torch
import Training

/// `namid train`.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network, naturally or robustly.",
    discussion: """
      Settings come from the preset, then --config, then the flags, then --set; the result is written to
      config.yaml in the run's folder. A run that was stopped goes on with --resume.

      Examples:
        namid train --defense standard --out runs/at --set model.width=16 --set training.epochs=10
        namid train --defense namid --estimators runs/estimators --out runs/namid --epsilon 8/255
        namid train --config run.yaml --out runs/again --resume
      """)

  @Option(help: "natural, standard or namid.")
  var defense: String?
  @Option(help: ArgumentHelp("The run's folder; made if missing.", valueName: "folder"))
  var out: String
  @Flag(help: "Continue a run that was stopped; start it if there is none.")
  var resume = false
  @Option(help: ArgumentHelp("A data set's name, see `namid data`.", valueName: "name"))
  var dataset: String?
  @Option(help: ArgumentHelp("resnet18 or small-cnn.", valueName: "name"))
  var model: String?
  @Option(help: ArgumentHelp("Radius of the ball, such as 8/255.", valueName: "radius"))
  var epsilon: Fraction?
  @Option(help: "Passes over the training images.")
  var epochs: Int?
  @Option(help: "Seed of all random numbers.")
  var seed: Int?
  @Option(help: ArgumentHelp("Trained estimators, for namid.", valueName: "folder"))
  var estimators: String?
  @Option(help: ArgumentHelp("Where settings start: paper or reference.", valueName: "name"))
  var preset = Preset.paper
  @Option(help: ArgumentHelp("A YAML or JSON file with settings.", valueName: "file"))
  var config: String?
  @Option(help: ArgumentHelp("One setting, such as optimizer.learningRate=0.2.", valueName: "k=v"))
  var set: [String] = []
  @Flag(help: "Print the resolved settings and stop.")
  var dryRun = false
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  enum Preset: String, CaseIterable, ExpressibleByArgument {
    case paper
    case reference
  }

  func run() throws {
    let configuration = try resolved()
    let text = try ConfigurationLoader.render(configuration)
    if dryRun {
      print(text, terminator: "")
      return
    }
    let device = try device.prepare()
    let job = try TrainingJob(
      configuration, data: data.directory, run: URL(filePath: out), resume: resume, device: device)
    note(job.summary)
    let progress = TrainingProgress()
    try job.fit(report: progress.show)
    note("done: namid evaluate \(out) --attack clean,pgd-20")
  }

  private func resolved() throws -> RunConfiguration {
    let flags: [(String, String?)] = [
      ("defense", defense), ("data.name", dataset.map(quoted)), ("model.architecture", model),
      ("threat.epsilon", epsilon.map { quoted($0.description) }),
      ("training.epochs", epochs.map(String.init)), ("seed", seed.map(String.init)),
      ("estimators", estimators.map(quoted)),
    ]
    return try ConfigurationLoader.load(
      defaults: defaults,
      file: config.map { URL(filePath: $0) },
      overrides: flags.compactMap { key, value in value.map { "\(key)=\($0)" } } + set)
  }

  private var defaults: RunConfiguration {
    // A name that is no defense is refused when the flags are read.
    preset == .paper
      ? RunConfiguration() : .reference(for: DefenseName(rawValue: defense ?? "") ?? .standard)
  }
}

/// A text as a YAML string, so that no character in it is read as something else.
func quoted(_ text: String) -> String {
  "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}
