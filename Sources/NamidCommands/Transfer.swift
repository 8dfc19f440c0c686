import ArgumentParser
import Foundation
import NamidEvaluation
import NamidTraining

/// `namid transfer`.
struct Transfer: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Attack one network and measure another one on the images.",
    discussion: """
      Images are made on the surrogate, the strongest that each attack finds there \
      with its whole budget, and judged by the target. The ball is the target's \
      unless given. After an interruption the same command continues.

      Example:
        namid transfer --surrogate runs/vgg --target runs/at --attack pgd-40
      """)

  @Option(help: ArgumentHelp("The run that images are made on.", valueName: "run"))
  var surrogate: String
  @Option(help: ArgumentHelp("The run that is judged.", valueName: "run"))
  var target: String
  @Option(help: ArgumentHelp("Attacks, separated by commas.", valueName: "list"))
  var attack = "pgd-20"
  @Option(help: "Which checkpoint of the target: latest, best or an epoch's number.")
  var checkpoint: CheckpointFolder.Choice = .latest
  @Option(help: "Which checkpoint of the surrogate.")
  var surrogateCheckpoint: CheckpointFolder.Choice = .latest
  @OptionGroup var output: EvaluationOutput
  @OptionGroup var state: StateOptions
  @OptionGroup var options: EvaluationOptions

  func run() throws {
    try output.check()
    let subject = try options.subject(run: target, checkpoint: checkpoint, attack: attack)
    let source = try SavedNetwork(
      run: URL(filePath: surrogate), surrogateCheckpoint, device: subject.saved.network.store.device
    )
    try source.check(subject.set)
    let progress = EvaluationProgress()
    defer { progress.finish() }
    let measurement = try RobustnessMeasurement(
      of: subject.saved.network, named: target,
      checkpoint: "epoch \(subject.saved.checkpoint.epoch)",
      craftedOn: .init(
        source.network, named: surrogate, checkpoint: "epoch \(source.checkpoint.epoch)"),
      on: subject.set, threat: subject.threat, attacks: subject.attacks,
      batchSize: subject.batchSize, seed: options.seed,
      keepsImages: output.saveAdversarial != nil, keepingStateIn: state.place(run: target),
      fresh: state.isFresh, progress: progress.show,
      say: note)
    progress.finish()
    try output.report(measurement, subject.set)
  }
}
