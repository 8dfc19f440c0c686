import ArgumentParser
import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidFiles
import NamidInformation
import NamidLaboratory
import NamidPages
import NamidSettings
import NamidTerminal
import NamidTorch
import NamidTraining

/// `namid mi poc`.
struct ProofOfConcept: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "poc",
    abstract: "Repeat the paper's proof of concept (Appendix B, Figure 2).",
    discussion: """
      One estimator, trained on natural images and their outputs, reads x with h(x), \
      the attacked image x̃ with h(x̃), and x with h(x̃), under several attacks; the \
      paper's network is trained naturally. Uses 1,000 images unless --limit says \
      otherwise. An estimator that is not given is trained into the folder of --out, \
      where a finished one is used again. Writes poc.html, poc.json and poc.csv there. \
      After an interruption the same command continues.

      Examples:
        namid mi poc runs/natural --out runs/poc
        namid mi poc runs/natural --out runs/poc --attack pgd-10,fwa-10 --limit 200
        namid mi poc runs/natural --out runs/poc --estimators runs/eq4
      """)

  @Argument(help: ArgumentHelp("The run of a trained network.", valueName: "run"))
  var folder: String
  @Option(help: ArgumentHelp("Where estimators and reports go.", valueName: "folder"))
  var out: String
  @Option(help: ArgumentHelp("Attacks, separated by commas.", valueName: "list"))
  var attack = "pgd-10,pgd-40,fwa-10,fwa-40,autoattack-20:queries=200"
  @Option(
    help: ArgumentHelp(
      "An estimator trained on natural images: eq4, or standard with ε = 0.", valueName: "run"))
  var estimators: String?
  @OptionGroup var information: InformationOptions
  @OptionGroup var training: EffortOptions
  @OptionGroup var state: StateOptions
  @OptionGroup var options: EvaluationOptions

  func run() throws {
    let workplace = try options.workplace()
    var request = PairingsRequest(
      try information.request(run: folder, attack: attack, options: options, limit: 1000),
      estimators: estimators)
    request.effort = training.effort
    try PairingsWork(
      request, in: URL(filePath: out), keepingStateIn: state.place(run: folder),
      fresh: state.isFresh, command: commandLine(), workplace
    ).carryOut()
  }
}

/// The measurement of three pairings and its report.
struct PairingsWork {
  private let request: PairingsRequest
  private let folder: URL
  private let place: EvaluationState.Place
  private let isFresh: Bool
  private let command: String
  private let workplace: Workplace

  /// A measurement.
  ///
  /// - Parameters:
  ///   - request: The network, its images and attacks, and the estimator.
  ///   - folder: The folder of the report and of an estimator that is trained for it.
  ///   - place: The place of finished batches.
  ///   - fresh: True to throw them away.
  ///   - command: The command line, for the report.
  ///   - workplace: The place where it is computed.
  init(
    _ request: PairingsRequest, in folder: URL, keepingStateIn place: EvaluationState.Place,
    fresh: Bool, command: String, _ workplace: Workplace
  ) {
    self.request = request
    self.folder = folder
    self.place = place
    isFresh = fresh
    self.command = command
    self.workplace = workplace
  }

  /// Measures, writes the report and prints its table.
  func carryOut() throws {
    let found = try InformationSubject(request.subject, workplace)
    let (subject, saved) = (found.subject, found.saved)
    let plan = plan(saved)
    try plan.check()
    if let estimators = request.estimators {
      let given = try TrainedEstimators.read(URL(filePath: estimators))
      _ = try estimator(given, estimators)
      try given.check(estimators, against: saved, on: subject.set)
    }
    let files = ["poc.html", "poc.json", "poc.csv"]
    try makeReportFolder(folder, files: files)
    let progress = TrainingProgress()
    let trained = try OutOfMemory.expecting(request.effort.remedy) {
      try plan.estimators(
        data: workplace.data, device: subject.network.store.device, say: note,
        report: progress.show)
    }
    let name = plan.folder.relativePath
    let estimator = try estimator(trained, name)
    let identity = EstimatorIdentity(trained, named: name)
    let batches = try InformationBatches(
      count: subject.set.count, size: request.subject.scoreBatch ?? identity.batchSize,
      seed: subject.seed)
    let record = try batches.record(indices: subject.set.indices, seed: subject.seed)
    let meter = InformationMeter(
      subject.network, on: ImageTensors(subject.set, device: subject.network.store.device),
      batches: batches, chunk: subject.batchSize)
    var rows: [ProofOfConceptReport.Row] = []
    var parts: [SampleFile.Part] = []
    var setting: InformationReport.Setting?
    let held = try AttackedMeasurement(
      subject, place: place, fresh: isFresh
    ).run(found.attacks) { attacked, progress in
      let (outcomes, readings) = try meter.pairings(
        attacked: attacked.images, reader: PatternReader(estimator), named: name,
        progress: progress)
      let row = try ProofOfConceptReport.Row(
        attacked.record, outcomes: outcomes, readings: readings, estimator: identity,
        batches: record)
      rows.append(row)
      parts.append(Self.part(attacked, outcomes, readings, row.specificationHash))
      setting = InformationReport.Setting(attacked.report, batches: record)
    }
    guard let setting else { return }
    let defense = saved.configuration.defense.rawValue
    let report = ProofOfConceptReport(
      setting: setting, estimator: identity, training: "\(defense) training",
      remarks: (defense == "natural" ? [] : ["the paper's network is trained naturally"])
        + trained.remarks(run: request.subject.run, threat: subject.threat, batchSize: record.size)
        .map { "the estimator was \($0)" },
      rows: rows)
    try SampleFile(folder.appending(path: "poc.csv")).write(parts)
    let file = ReportFile("poc", in: folder)
    try file.write(
      report, document: report.document(command: command),
      chartLibrary: ChartLibrary.loaded)
    print(Self.text(report), terminator: "")
    print("report: \(file.page.relativePath)")
    for state in held { state.finish() }
  }

  /// Standard MI with ε = 0: patterns are natural images, and the estimator reads their own outputs.
  private func plan(_ saved: SavedNetwork) -> EstimatorPlan {
    if let estimators = request.estimators {
      return EstimatorPlan(existing: URL(filePath: estimators), name: "estimators")
    }
    var configuration = EstimatorPlan.configuration(
      run: request.subject.run, checkpoint: request.subject.checkpoint,
      network: saved.configuration, effort: request.effort,
      seed: request.subject.evaluation.seed)
    configuration.kind = .standard
    configuration.threat.epsilon = 0
    configuration.attack.steps = 1
    return EstimatorPlan(
      folder: folder.appending(path: "estimator"), configuration: configuration,
      name: "estimators")
  }

  private func estimator(_ trained: TrainedEstimators, _ name: String) throws -> Estimator {
    let configuration = trained.configuration
    switch trained.estimators {
    case .pair(let pair): return pair.natural
    case .standard(let estimator):
      guard configuration.threat.epsilon.value == 0 else {
        throw LaboratoryError.wrongEstimators(
          name, reason: "they were trained on attacked images (ε \(configuration.threat.epsilon))")
      }
      return estimator
    }
  }

  private static func part(
    _ attacked: AttackedSet, _ outcomes: SampleOutcomes, _ readings: [[Double]], _ hash: String
  ) -> SampleFile.Part {
    let names = ["natural_natural", "adversarial_adversarial", "natural_adversarial"]
    return SampleFile.Part(
      facts: [("attack", attacked.attack.name)], outcomes: outcomes,
      columns: zip(names, readings).map { (name: $0, values: $1) }, specificationHash: hash)
  }

  private static func text(_ report: ProofOfConceptReport) -> String {
    var table = TextTable([
      "attack", "right", "I(x;h(x))", "I(x̃;h(x̃))", "I(x;h(x̃))", "lost by attack", "shaded area",
      "spec",
    ])
    for row in report.rows {
      table.append(
        [row.attack.name, Figures.percent(row.attack.robustAccuracy.share)]
          + [row.natural, row.standard, row.crossed, row.loss, row.confused].map(Figures.nats)
          + [row.specificationHash])
    }
    let lines =
      [
        report.setting.summary, "estimator: \(report.estimator.summary)",
        report.setting.batchSummary,
      ] + report.remarks.map { "remark: \($0)" }
    return lines.map { $0 + "\n" }.joined() + table.text
      + "means in nats, as estimated, ± 95 % over samples; lost by attack is "
      + "I(x;h(x)) − I(x̃;h(x̃)), the shaded area I(x̃;h(x̃)) − I(x;h(x̃))\n"
  }
}
