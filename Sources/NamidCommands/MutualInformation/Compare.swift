import ArgumentParser
import Foundation
import NamidInformation
import NamidLaboratory
import NamidSettings
import NamidTraining

/// `namid mi compare`.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare estimators trained by Equations 4 and 5 on one network (Figure 4).",
    discussion: """
      Reads natural and adversarial MI of unattacked and attacked images with \
      estimators trained by Equation 4, by Equation 5, and with placebos: random \
      weights, and both equations on shuffled pairs. Says how well each separates \
      unattacked from attacked outputs, sample by sample and as AUC, and whether \
      Equation 5 does more than Equation 4 and than its placebo. Estimators that are \
      not given are trained into the folder of --out, one after another; finished \
      ones are used again. Uses 1,000 images unless --limit says otherwise. Writes \
      compare.html, compare.json and compare.csv there. After an interruption the \
      same command continues.

      Examples:
        namid mi compare runs/at --out runs/compare
        namid mi compare runs/at --out runs/compare --eq4 runs/eq4 --eq5 runs/eq5
        namid mi compare runs/at --out runs/quick --limit 300 --units 64 \\
          --train-images 2000 --controls random
      """)

  @Argument(help: ArgumentHelp("The run of a trained network.", valueName: "run"))
  var folder: String
  @Option(help: ArgumentHelp("Where estimators and reports go.", valueName: "folder"))
  var out: String
  @Option(help: ArgumentHelp("Attacks, separated by commas.", valueName: "list"))
  var attack = "pgd-20"
  @Option(help: ArgumentHelp("Estimators trained by Equation 4.", valueName: "run"))
  var eq4: String?
  @Option(help: ArgumentHelp("Estimators trained by Equation 5.", valueName: "run"))
  var eq5: String?
  @Option(
    help: ArgumentHelp(
      "Placebos: any of random,shuffled-eq4,shuffled-eq5, or none.", valueName: "list"))
  var controls = "random,shuffled-eq4,shuffled-eq5"
  @OptionGroup var information: InformationOptions
  @OptionGroup var training: EffortOptions
  @OptionGroup var state: StateOptions
  @OptionGroup var options: EvaluationOptions

  func validate() throws { _ = try roles() }

  func run() throws {
    var options = options
    if options.limit == nil { options.limit = 1000 }
    let (subject, attacks) = try information.subject(
      run: folder, attack: attack, options: options)
    let plans = try plans(subject)
    let files = try InformationFiles("compare", in: out)
    let trained = try plans.map { role, plan in
      Trained(
        role, try training.estimators(plan, data: options.data.directory, device: subject.device),
        named: plan.folder.relativePath)
    }
    let meter = try information.meter(
      of: subject, usualSize: trained.first?.identity.batchSize ?? training.trainBatch)
    let record = try meter.record()
    var found: [AttackComparison] = []
    var parts: [SampleFile.Part] = []
    let (setting, held) = try AttackedMeasurement(
      subject: subject, batches: record, place: state.place(run: folder), fresh: state.isFresh
    ).run(attacks) { attacked, progress in
      let (outcomes, values) = try meter.measure(
        attacked: attacked.images, readers: trained.compactMap(\.reader), progress: progress)
      let readings = try zip(trained, values).compactMap { each, values in
        try EstimatorReading(
          each.role, each.identity,
          remarks: each.trained.remarks(
            run: folder, threat: subject.request.threat, batchSize: record.size),
          values: values, outcomes: outcomes, attack: attacked.record, batches: record)
      }
      for (reading, values) in zip(readings, values) {
        parts.append(
          SampleFile.Part(
            facts: [("attack", attacked.record.name), ("estimators", reading.role.rawValue)],
            outcomes: outcomes, columns: values.columns,
            specificationHash: reading.specificationHash))
      }
      found.append(AttackComparison(attacked.record, outcomes: outcomes, readings: readings))
    }
    let report = try ComparisonReport(setting: setting, attacks: found)
    try files.write(
      report, CompareText(report: report).text, page: report.document, samples: parts)
    for state in held { state.finish() }
  }

  /// Estimators of one kind, read back.
  private struct Trained {
    var role: EstimatorRole
    var trained: TrainedEstimators
    var identity: EstimatorIdentity

    init(_ role: EstimatorRole, _ trained: TrainedEstimators, named name: String) {
      self.role = role
      self.trained = trained
      identity = EstimatorIdentity(trained, named: name)
    }

    /// The pair's reader; nil for another kind, which has been refused before.
    var reader: PairReader? {
      guard case .pair(let pair) = trained.estimators else { return nil }
      return PairReader("the estimators in \(identity.name)", pair)
    }
  }

  private func roles() throws -> [EstimatorRole] {
    let names = controls == "none" ? [] : controls.split(separator: ",").map(String.init)
    let known: [EstimatorRole] = [.random, .shuffledEq4, .shuffledEq5]
    let chosen = try names.map { name in
      guard let role = known.first(where: { $0.rawValue == name }) else {
        let hint =
          nearest(name, among: known.map(\.rawValue)).map { ": did you mean \"\($0)\"?" } ?? ""
        throw ValidationError(
          "there is no control \"\(name)\"\(hint) (known: none, "
            + known.map(\.rawValue).joined(separator: ", ") + ")")
      }
      return role
    }
    return [.eq4, .eq5] + known.filter(chosen.contains)
  }

  /// Plans all estimators, checked as far as can be without training.
  private func plans(_ subject: EvaluationSubject) throws -> [(EstimatorRole, EstimatorPlan)] {
    let common = EstimatorPlan.configuration(
      run: folder, checkpoint: information.checkpoint, network: subject.saved.configuration,
      effort: training.effort, seed: options.seed)
    return try roles().map { role in
      let given = role == .eq4 ? eq4 : role == .eq5 ? eq5 : nil
      let plan =
        given.map { EstimatorPlan(folder: URL(filePath: $0), name: role.rawValue) }
        ?? EstimatorPlan(
          folder: URL(filePath: out).appending(path: role.rawValue),
          configuration: role.configuration(common), name: role.rawValue)
      try plan.check()
      if let given {
        let trained = try TrainedEstimators.read(URL(filePath: given))
        if let problem = role.problem(EstimatorIdentity(trained, named: given)) {
          throw LaboratoryError.wrongEstimators(given, reason: problem)
        }
        try trained.check(given, against: subject.saved, on: subject.set)
      }
      return (role, plan)
    }
  }
}
