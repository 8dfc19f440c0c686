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

  @Option(help: .init("The run that images are made on.", valueName: "run"))
  var surrogate: String
  @Option(help: .init("The run that is judged.", valueName: "run"))
  var target: String
  @Option(help: .init("Attacks, separated by commas.", valueName: "list"))
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
    let subject = try options.subject(
      run: target, checkpoint: checkpoint, attack: attack,
      keepsImages: output.saveAdversarial != nil)
    let measurement = try Self.measure(
      subject, craftedOn: surrogate, surrogateCheckpoint,
      keepingStateIn: state.place(run: target), fresh: state.isFresh)
    try output.report(measurement, subject.set)
  }

  /// Measures a network on images made on another run's.
  static func measure(
    _ subject: EvaluationSubject, craftedOn surrogate: String,
    _ checkpoint: CheckpointFolder.Choice, keepingStateIn place: EvaluationState.Place,
    fresh: Bool
  ) throws -> RobustnessMeasurement {
    var options = ModelFile.Options()
    options.recognition.image = (subject.set.channels, subject.set.height, subject.set.width)
    let source = try SavedNetwork(
      opening: URL(filePath: surrogate), checkpoint, options,
      device: subject.saved.network.store.device, catalog: Parts.catalog)
    try source.check(subject.set)
    return try subject.measure(
      craftedOn: MeasuredNetwork(source, named: surrogate), keepingStateIn: place, fresh: fresh)
  }
}
