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

  /// The request for a run's network.
  ///
  /// - Parameters:
  ///   - run: The network's run.
  ///   - attack: Attacks, separated by commas.
  ///   - options: Images, ball and seed.
  ///   - limit: The number of images where the options do not say one.
  func request(
    run: String, attack: String, options: EvaluationOptions, limit: Int? = nil
  ) throws -> InformationRequest {
    var evaluation = try options.request(run: run, attack: attack)
    evaluation.goal = goal
    evaluation.limit = evaluation.limit ?? limit
    return InformationRequest(
      run: run, checkpoint: checkpoint, evaluation, scoreBatch: scoreBatch)
  }
}

/// A trained network with the images and attacks of a request, all of it checked; nothing is computed yet.
struct InformationSubject {
  let subject: LaboratorySubject
  let saved: SavedNetwork
  let attacks: [any Attack]

  init(_ request: InformationRequest, _ workplace: Workplace) throws {
    let found = try EvaluationSubject(
      request.evaluation, of: request.run, request.checkpoint, workplace)
    attacks = found.attacks.filter { $0.changesImages }
    if attacks.isEmpty { throw LaboratoryError.noAttack }
    if found.set.count < 2 { throw LaboratoryError.tooFewImages(found.set.count) }
    OutOfMemory.expect(.smallerBatches(than: found.batchSize, last: "lower --score-batch"))
    saved = found.saved
    subject = LaboratorySubject(
      saved.network, named: request.run, checkpoint: "epoch \(saved.checkpoint.epoch)",
      on: found.set, threat: request.evaluation.threat, goal: request.evaluation.goal,
      batchSize: found.batchSize, seed: request.evaluation.seed)
  }
}

extension EstimatorEffort {
  /// The remedy where memory does not suffice for training.
  var remedy: OutOfMemory.Remedy {
    .advice("lower --train-batch (now \(batchSize)) or --units (now \(units))")
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
func makeReportFolder(_ folder: URL, files: [String]) throws {
  try createFolder(at: folder)
  for file in files { try checkWritable(folder.appending(path: file).path) }
}
