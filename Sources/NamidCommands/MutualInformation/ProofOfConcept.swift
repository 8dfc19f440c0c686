import ArgumentParser
import Foundation
import NamidInformation
import NamidLaboratory
import NamidTerminal
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
    var options = options
    if options.limit == nil { options.limit = 1000 }
    let (subject, attacks) = try information.subject(
      run: folder, attack: attack, options: options)
    let plan = plan(subject.saved)
    try plan.check()
    if let estimators {
      let given = try TrainedEstimators.read(URL(filePath: estimators))
      _ = try estimator(given, estimators)
      try given.check(estimators, against: subject.saved, on: subject.set)
    }
    let files = try InformationFiles("poc", in: out)
    let trained = try training.estimators(
      plan, data: options.data.directory, device: subject.device)
    let name = plan.folder.relativePath
    let estimator = try estimator(trained, name)
    let identity = EstimatorIdentity(trained, named: name)
    let meter = try information.meter(of: subject, usualSize: identity.batchSize)
    let record = try meter.record()
    var rows: [ProofOfConceptReport.Row] = []
    var parts: [SampleFile.Part] = []
    let (setting, held) = try AttackedMeasurement(
      subject: subject, batches: record, place: state.place(run: folder), fresh: state.isFresh
    ).run(attacks) { attacked, progress in
      let (outcomes, readings) = try meter.pairings(
        attacked: attacked.images, reader: PatternReader(estimator), named: name,
        progress: progress)
      let row = try ProofOfConceptReport.Row(
        attacked.record, outcomes: outcomes, readings: readings, estimator: identity,
        batches: record)
      rows.append(row)
      let columns = ["natural_natural", "adversarial_adversarial", "natural_adversarial"]
      parts.append(
        SampleFile.Part(
          facts: [("attack", row.attack.name)], outcomes: outcomes,
          columns: zip(columns, readings).map { (name: $0, values: $1) },
          specificationHash: row.specificationHash))
    }
    let defense = subject.saved.configuration.defense.rawValue
    let remarks = trained.remarks(
      run: folder, threat: subject.request.threat, batchSize: record.size)
    let report = ProofOfConceptReport(
      setting: setting, estimator: identity, training: "\(defense) training",
      remarks: (defense == "natural" ? [] : ["the paper's network is trained naturally"])
        + remarks.map { "the estimator was \($0)" },
      rows: rows)
    try files.write(report, Self.text(report), page: report.document, samples: parts)
    for state in held { state.finish() }
  }

  /// Plans the estimator of standard MI with ε = 0: patterns are natural images, and the estimator reads their own outputs.
  private func plan(_ saved: SavedNetwork) -> EstimatorPlan {
    if let estimators {
      return EstimatorPlan(folder: URL(filePath: estimators), name: "estimators")
    }
    var configuration = EstimatorPlan.configuration(
      run: folder, checkpoint: information.checkpoint, network: saved.configuration,
      effort: training.effort, seed: options.seed)
    configuration.kind = .standard
    configuration.threat.epsilon = 0
    configuration.attack.steps = 1
    return EstimatorPlan(
      folder: URL(filePath: out).appending(path: "estimator"), configuration: configuration,
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
