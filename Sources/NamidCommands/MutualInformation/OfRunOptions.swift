import ArgumentParser
import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidFiles
import NamidInformation
import NamidLaboratory
import NamidPages
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
  /// - Returns: The request; nothing is computed yet.
  /// - Throws: An error where the run cannot be read.
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

/// A way to carry out a measurement of mutual information, on which no figure depends.
struct InformationConduct {
  /// The place of finished batches.
  var place: EvaluationState.Place
  /// True to throw them away.
  var isFresh: Bool
  /// The command line, for the report.
  var command: String
  /// The place where it is computed.
  var workplace: Workplace
}

/// A trained network with the images and attacks of a request, all of it checked; nothing is computed yet.
struct InformationSubject {
  let evaluation: EvaluationSubject
  let attacks: [any Attack]
  private let scoreBatch: Int?

  init(_ request: InformationRequest, _ workplace: Workplace) throws {
    evaluation = try EvaluationSubject(
      request.evaluation, of: request.run, request.checkpoint, workplace)
    attacks = evaluation.attacks.filter { $0.changesImages }
    scoreBatch = request.scoreBatch
    if attacks.isEmpty { throw LaboratoryError.noAttack }
    if evaluation.set.count < 2 { throw LaboratoryError.tooFewImages(evaluation.set.count) }
    OutOfMemory.expect(.smallerBatches(than: evaluation.batchSize, last: "lower --score-batch"))
  }

  /// Makes a meter of the outputs; estimates depend on the number of samples per score matrix.
  func meter(usualSize: Int, rule: SelectionRule = .argmax) throws -> InformationMeter {
    InformationMeter(
      evaluation.saved.network, on: ImageTensors(evaluation.set, device: evaluation.device),
      batches: try InformationBatches(
        count: evaluation.set.count, size: scoreBatch ?? usualSize, seed: evaluation.request.seed),
      rule: rule, chunk: evaluation.batchSize)
  }
}

extension EvaluationSubject {
  /// The device on which the network computes.
  var device: Device { saved.network.store.device }
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

extension EstimatorPlan {
  /// Reads planned estimators, and trains them where that is not finished.
  func estimators(_ effort: EstimatorEffort, _ workplace: Workplace) throws -> TrainedEstimators {
    let remedy = OutOfMemory.Remedy.advice(
      "lower --train-batch (now \(effort.batchSize)) or --units (now \(effort.units))")
    return try OutOfMemory.expecting(remedy) {
      try estimators(
        data: workplace.data, device: workplace.device, catalog: Parts.catalog, say: note,
        report: TrainingProgress().show)
    }
  }
}

/// Attacks one after another, each measured before the next, so that one attack's images are in memory at a time.
struct AttackedMeasurement {
  let subject: EvaluationSubject
  let batches: InformationBatches.Record
  let conduct: InformationConduct

  /// Hands each attack's images to `body`.
  ///
  /// - Returns: The setting, and the states on disk; finish them when the figures are written.
  func run(
    _ attacks: [any Attack],
    _ body: (_ attacked: AttackedSet, _ progress: (Int) -> Void) throws -> Void
  ) throws -> (setting: InformationReport.Setting, held: [EvaluationState]) {
    let progress = EvaluationProgress()
    defer { progress.finish() }
    var setting: InformationReport.Setting?
    let held = try attacks.enumerated().map { number, attack in
      let attacked = try AttackedSet(
        subject.request, of: subject.network, on: subject.set, by: attack,
        EvaluationConduct(
          batchSize: subject.batchSize, keepingStateIn: place(number), fresh: conduct.isFresh,
          progress: progress.show, say: note))
      progress.finish()
      let line = ProgressLine(
        "\(attack.name): mutual information", total: subject.set.count, unit: "images")
      defer { line.finish() }
      try body(attacked) { line.update($0) }
      setting = InformationReport.Setting(attacked.report, batches: batches)
      return attacked.state
    }
    guard let setting else { throw LaboratoryError.noAttack }
    return (setting, held.compactMap(\.self))
  }

  /// Finds the folder of an attack's state, which belongs to one list of attacks.
  private func place(_ number: Int) -> EvaluationState.Place {
    guard case .folder(let folder) = conduct.place else { return conduct.place }
    return .folder(folder.appending(path: "attack-\(number + 1)"))
  }
}

/// The files of a report on mutual information in one folder: a page, figures, and one row per sample.
struct InformationFiles {
  private let page: URL
  private let figures: URL
  private let samples: URL

  /// Makes the folder and throws where the files cannot be written to it.
  init(_ name: String, in folder: URL) throws {
    try createFolder(at: folder)
    page = folder.appending(path: "\(name).html")
    figures = folder.appending(path: "\(name).json")
    samples = folder.appending(path: "\(name).csv")
    for file in [page, figures, samples] { try checkWritable(file.path) }
  }

  /// Writes all files, each replacing an earlier one as a whole, and shows the figures.
  func write(
    _ report: some Encodable, _ text: String, page document: Report,
    samples parts: [SampleFile.Part]
  ) throws {
    try SampleFile(samples).write(parts)
    try AtomicFile.write(
      JSONValue(encoding: report).data(indent: 2) + Data("\n".utf8), to: figures)
    let html = HTMLReport.render(document, chartLibrary: ChartLibrary.loaded)
    try AtomicFile.write(Data(html.utf8), to: page)
    print(text, terminator: "")
    print("report: \(page.relativePath)")
  }
}
