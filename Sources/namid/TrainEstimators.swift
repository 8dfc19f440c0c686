import ArgumentParser
import Foundation
import Records
import Training

/// `namid train-estimators`.
struct TrainEstimators: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the natural and the adversarial MI estimator on a network's logits.",
    discussion: """
      Objectives: eq4 and eq5 of the paper (eq5 with its lowered terms floored at 0), and cosine, which is
      what the authors' code trains. The network stays as it is.

      Examples:
        namid train-estimators --target runs/at --out runs/estimators
        namid train-estimators --target runs/at --out runs/eq4 --objective eq4 --set units=512
      """)

  @Option(help: ArgumentHelp("The run of a trained network.", valueName: "folder"))
  var target: String?
  @Option(help: ArgumentHelp("The run's folder; made if missing.", valueName: "folder"))
  var out: String
  @Flag(help: "Continue a run that was stopped; start it if there is none.")
  var resume = false
  @Option(help: "eq4, eq5 or cosine.")
  var objective: String?
  @Option(help: ArgumentHelp("A data set's name; the target's by default.", valueName: "name"))
  var dataset: String?
  @Option(help: ArgumentHelp("Radius of the ball; the target's by default.", valueName: "radius"))
  var epsilon: Fraction?
  @Option(help: "Passes over the training images.")
  var epochs: Int?
  @Option(help: "Seed of all random numbers.")
  var seed: Int?
  @Option(help: ArgumentHelp("Where settings start: paper or reference.", valueName: "name"))
  var preset = Train.Preset.paper
  @Option(help: ArgumentHelp("A YAML or JSON file with settings.", valueName: "file"))
  var config: String?
  @Option(help: ArgumentHelp("One setting, such as units=512.", valueName: "k=v"))
  var set: [String] = []
  @Flag(help: "Print the resolved settings and stop.")
  var dryRun = false
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func run() throws {
    let configuration = try resolved()
    if dryRun {
      print(try ConfigurationLoader.render(configuration), terminator: "")
      return
    }
    let device = try device.prepare()
    let job = try EstimatorJob(
      configuration, data: data.directory, run: URL(filePath: out), resume: resume, device: device)
    note(job.summary)
    let progress = TrainingProgress()
    try job.fit(report: progress.show)
    note("done: namid train --defense namid --estimators \(out) --out …")
  }

  /// The settings; data, ball and attack are the target's unless said otherwise.
  private func resolved() throws -> EstimatorConfiguration {
    var defaults = preset == .paper ? EstimatorConfiguration() : .reference
    if let target {
      let theirs = try SavedNetwork.configuration(of: URL(filePath: target))
      (defaults.data, defaults.threat, defaults.attack) = (
        theirs.data, theirs.threat, theirs.attack
      )
      defaults.target = target
    }
    let flags: [(String, String?)] = [
      ("objective", objective), ("data.name", dataset.map(quoted)),
      ("threat.epsilon", epsilon.map { quoted($0.description) }),
      ("epochs", epochs.map(String.init)), ("seed", seed.map(String.init)),
    ]
    return try ConfigurationLoader.load(
      defaults: defaults, file: config.map { URL(filePath: $0) },
      overrides: flags.compactMap { key, value in value.map { "\(key)=\($0)" } } + set)
  }
}
