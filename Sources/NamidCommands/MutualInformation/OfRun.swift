import ArgumentParser
import Foundation
import NamidInformation
import NamidLaboratory
import NamidTraining

/// `namid mi of`.
struct OfRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "of",
    abstract: "Measure natural and adversarial MI of a trained network's outputs.",
    discussion: """
      Natural MI is that of natural images and outputs, adversarial MI that of the \
      noise and outputs, each for the outputs of unattacked and of attacked images, \
      per sample and in nats; I(Y; Ŷ) of labels and predicted classes is beside it. \
      Estimates depend on the batch: its size and members are fixed and written with \
      the figures. Estimators are those given, else those that the run was trained \
      with; without any, only I(Y; Ŷ) is measured. After an interruption the same \
      command continues.

      Examples:
        namid mi of runs/namid --attack pgd-20 --limit 1000
        namid mi of runs/at --attack pgd-40,fwa-40 --estimators runs/eq5 \\
          --json mi.json --samples mi.csv
      """)

  @Argument(help: ArgumentHelp("The run of a trained network.", valueName: "run"))
  var folder: String
  @Option(help: ArgumentHelp("Attacks, separated by commas.", valueName: "list"))
  var attack = "pgd-20"
  @Option(
    help: ArgumentHelp(
      "Estimators of natural and adversarial MI; the run's own by default.", valueName: "run"))
  var estimators: String?
  @Option(
    help: ArgumentHelp("Write the figures as JSON; - for standard output.", valueName: "file"))
  var json: String?
  @Option(
    help: ArgumentHelp(
      "Write one row per sample and attack, .csv or .jsonl.", valueName: "file"))
  var samples: String?
  @OptionGroup var information: InformationOptions
  @OptionGroup var state: StateOptions
  @OptionGroup var options: EvaluationOptions

  func run() throws {
    try FigureOutput(json: json).check()
    let sampleFile = try samples.map { path in
      try checkWritable(path)
      return try SampleFile(URL(filePath: path))
    }
    let workplace = try options.workplace()
    let found = try InformationSubject(
      information.request(run: folder, attack: attack, options: options), workplace)
    let subject = found.evaluation
    let reading = try reading(subject)
    let rule = reading?.identity.selection ?? .argmax
    let meter = try found.meter(
      usualSize: max(2, reading?.identity.batchSize ?? 128), rule: rule)
    let record = try meter.record()
    var measured: [AttackInformation] = []
    var parts: [SampleFile.Part] = []
    let (setting, held) = try AttackedMeasurement(
      subject: subject, batches: record, conduct: state.conduct(of: folder, workplace)
    ).run(found.attacks) { attacked, progress in
      let (outcomes, values) = try meter.measure(
        attacked: attacked.images, readers: reading.map { [$0.reader] } ?? [], progress: progress)
      let information = try AttackInformation(
        attacked.record, outcomes: outcomes, values: values.first, estimators: reading?.identity,
        selection: rule, batches: record)
      measured.append(information)
      if sampleFile != nil {
        parts.append(
          SampleFile.Part(
            facts: [("attack", attacked.record.name)], outcomes: outcomes,
            columns: values.first?.columns ?? [], specificationHash: information.specificationHash))
      }
    }
    let report = InformationReport(
      setting: setting, estimators: reading?.identity, selection: rule,
      remarks: reading?.trained.remarks(
        run: folder, threat: subject.request.threat, batchSize: record.size) ?? [],
      attacks: measured)
    try sampleFile?.write(parts)
    try FigureOutput(json: json).write(report, asText: OfRunText(report: report).text)
    for state in held { state.finish() }
  }

  /// The estimators that read.
  private struct Reading {
    var trained: TrainedEstimators
    var identity: EstimatorIdentity
    var reader: PairReader
  }

  private func reading(_ subject: EvaluationSubject) throws -> Reading? {
    guard let path = estimators ?? subject.saved.configuration.estimators else {
      note("no estimators given (--estimators): only I(Y; Ŷ) is measured")
      return nil
    }
    let trained = try TrainedEstimators.read(URL(filePath: path), device: subject.device)
    let pair = try trained.pair(in: path)
    try trained.check(path, against: subject.saved, on: subject.set)
    return Reading(
      trained: trained, identity: EstimatorIdentity(trained, named: path),
      reader: PairReader("the estimators in \(path)", pair))
  }
}
