import ArgumentParser
import Foundation
import NamidAttacks
import NamidEvaluation
import NamidFiles
import NamidLaboratory
import NamidTerminal
import NamidTorch
import NamidTraining

/// Options of every verb that reads mutual information off a trained network's outputs.
struct InformationOptions: ParsableArguments {
  @Option(help: "What attacks are after: strongest (the whole budget for every sample) or fool.")
  var goal = Goal.strongest
  @Option(
    help: ArgumentHelp(
      "Samples per score matrix, on which estimates depend.",
      discussion: "Default: as many as the estimators were trained with.", valueName: "n"))
  var scoreBatch: Int?
  @Option(help: "Which checkpoint: latest, best or an epoch's number.")
  var checkpoint: CheckpointFolder.Choice = .latest

  func validate() throws {
    if let scoreBatch, scoreBatch < 2 {
      throw ValidationError("--score-batch must be at least 2: other samples are the negatives")
    }
  }

  /// The subject of a measurement, and what attacks it; nothing is computed yet.
  func subject(
    run: String, attack: String, options: EvaluationOptions
  ) throws -> (subject: LaboratorySubject, saved: SavedNetwork, attacks: [any Attack]) {
    let found = try options.subject(run: run, checkpoint: checkpoint, attack: attack)
    let attacks = found.attacks.filter { $0.changesImages }
    if attacks.isEmpty { throw LaboratoryError.noAttack }
    if found.set.count < 2 { throw LaboratoryError.tooFewImages(found.set.count) }
    OutOfMemory.expect(.smallerBatches(than: found.batchSize, last: "lower --score-batch"))
    let subject = LaboratorySubject(
      found.saved.network, named: run, checkpoint: "epoch \(found.saved.checkpoint.epoch)",
      on: found.set, threat: found.request.threat, goal: goal, batchSize: found.batchSize,
      seed: options.seed)
    return (subject, found.saved, attacks)
  }
}

/// Training of estimators that are missing.
struct EffortOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Length of the feature vectors; 2048 in the paper.", valueName: "n"))
  var units = 256
  @Option(help: ArgumentHelp("Passes over the training images.", valueName: "n"))
  var epochs = 2
  @Option(help: ArgumentHelp("Training images used.", valueName: "n"))
  var trainImages = 10_000
  @Option(
    help: ArgumentHelp("Images per training step, on which estimates depend.", valueName: "n"))
  var trainBatch = 128

  func validate() throws {
    for (flag, value, least) in [
      ("--units", units, 1), ("--epochs", epochs, 1), ("--train-images", trainImages, 2),
      ("--train-batch", trainBatch, 2),
    ] where value < least {
      throw ValidationError("\(flag) must be at least \(least)")
    }
  }

  /// The remedy where memory does not suffice.
  var remedy: OutOfMemory.Remedy {
    .advice("lower --train-batch (now \(trainBatch)) or --units (now \(units))")
  }

  var effort: EstimatorEffort {
    EstimatorEffort(units: units, epochs: epochs, images: trainImages, batchSize: trainBatch)
  }
}

/// Attacks one after another, each measured before the next, so that one attack's images are in memory at a time.
struct AttackedMeasurement {
  let subject: LaboratorySubject
  let place: EvaluationState.Place
  let fresh: Bool
  private let progress = EvaluationProgress()

  init(_ subject: LaboratorySubject, place: EvaluationState.Place, fresh: Bool) {
    self.subject = subject
    self.place = place
    self.fresh = fresh
  }

  /// Hands each attack's images to `body`.
  ///
  /// - Returns: The states on disk; finish them when the figures are written.
  func run(
    _ attacks: [any Attack],
    _ body: (_ attacked: AttackedSet, _ progress: (Int) -> Void) throws -> Void
  ) throws -> [HeldState] {
    defer { progress.finish() }
    return try attacks.enumerated().map { number, attack in
      let attacked = try subject.attacked(
        by: attack, keepingStateIn: place(number), fresh: fresh, progress: progress.show, say: note)
      progress.finish()
      let line = ProgressLine(
        "\(attack.name): mutual information", total: subject.set.count, unit: "images")
      defer { line.finish() }
      try body(attacked) { line.update($0) }
      return attacked.held
    }
  }

  /// One folder per attack: a state belongs to one list of attacks.
  private func place(_ number: Int) -> EvaluationState.Place {
    guard case .folder(let folder) = place else { return place }
    return .folder(folder.appending(path: "attack-\(number + 1)"))
  }
}

/// Makes a folder for reports and throws where it cannot be written to.
func makeReportFolder(_ path: String, files: [String]) throws -> URL {
  let folder = URL(filePath: path)
  try createFolder(at: folder)
  for file in files { try checkWritable(folder.appending(path: file).path) }
  return folder
}
