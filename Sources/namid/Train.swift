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
      Settings come from the preset, then --config, then the flags, then --set; \
      the result is written to config.yaml in the run's folder. A run that was \
      stopped goes on with --resume.

      Examples:
        namid train --defense standard --out runs/at --set model.width=16
        namid train --defense namid --estimators runs/e --out runs/namid
        namid train --config run.yaml --epsilon 4/255 --out runs/small --resume
      """)

  @Option(help: "natural, standard or namid.")
  var defense: String?
  @Option(help: ArgumentHelp("resnet18 or small-cnn.", valueName: "name"))
  var model: String?
  @Option(help: ArgumentHelp("Trained estimators, for namid.", valueName: "folder"))
  var estimators: String?
  @OptionGroup var options: RunOptions

  func run() throws {
    let configuration = try resolved()
    if options.dryRun {
      print(try ConfigurationLoader.render(configuration), terminator: "")
      return
    }
    let device = try options.device.prepare()
    let job = try TrainingJob(
      configuration, data: options.data.directory, run: options.folder, resume: options.resume,
      device: device)
    note(job.summary)
    let progress = TrainingProgress()
    try job.fit(report: progress.show)
    note("done: namid evaluate \(options.out) --attack clean,pgd-20")
  }

  private func resolved() throws -> RunConfiguration {
    // A name that is no defense is refused when the flags are read.
    let name = DefenseName(rawValue: defense ?? "") ?? .standard
    return try options.resolved(
      options.preset == .paper ? RunConfiguration() : .reference(for: name),
      epochsKey: "training.epochs",
      flags: [
        ("defense", defense), ("model.architecture", model),
        ("estimators", estimators.map(options.quoted)),
      ])
  }
}
