import ArgumentParser
import Evaluation
import Foundation
import Training

/// `namid evaluate`.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained network, unattacked and under attacks.",
    discussion: """
      Always in float32 and evaluation mode; results do not depend on the batch \
      size. Attacks are separated by commas, their settings by colons; `namid \
      attacks` lists them. Every claim of an attack is checked on the image that it \
      has made. After an interruption the same command continues.

      Examples:
        namid evaluate runs/at --attack clean,pgd-20
        namid evaluate runs/at --attack pgd-40:restarts=5 --json at.json
        namid evaluate runs/at --checkpoint best --limit 1000 --norm l2 --epsilon 0.5
      """)

  @Argument(help: ArgumentHelp("The run of a trained network.", valueName: "run"))
  var folder: String
  @Option(help: ArgumentHelp("Attacks, separated by commas.", valueName: "list"))
  var attack = "clean,pgd-20"
  @Option(help: "Which checkpoint: latest, best or an epoch's number.")
  var checkpoint: CheckpointFolder.Choice = .latest
  @OptionGroup var output: EvaluationOutput
  @OptionGroup var state: StateOptions
  @OptionGroup var options: EvaluationOptions

  func run() throws {
    try output.check()
    let subject = try options.subject(run: folder, checkpoint: checkpoint, attack: attack)
    let progress = EvaluationProgress()
    defer { progress.finish() }
    let measurement = try RobustnessMeasurement(
      of: subject.saved.network, named: folder,
      checkpoint: "epoch \(subject.saved.checkpoint.epoch)", on: subject.set,
      threat: subject.threat, attacks: subject.attacks, batchSize: options.batchSize,
      seed: options.seed, keepsImages: output.saveAdversarial != nil,
      keepingStateIn: state.place(run: folder), fresh: state.fresh, progress: progress.show,
      say: note)
    progress.finish()
    try output.report(measurement, subject.set)
  }
}
