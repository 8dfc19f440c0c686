import ArgumentParser
import Foundation
import NamidInformation
import NamidSettings
import NamidTraining

/// `namid train-estimators`.
struct TrainEstimators: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train estimators of mutual information on a network's logits.",
    discussion: """
      Kinds: natural-adversarial, a pair for the namid defenses, and standard, for \
      wmim. Objectives of the pair: eq4 and eq5 of the paper (eq5 with its lowered \
      terms floored at 0), and cosine, which is what the authors' code trains. The \
      network stays as it is. Controls: random weights, or shuffled pairs.

      Examples:
        namid train-estimators --target runs/at --out runs/estimators
        namid train-estimators --target runs/at --out runs/eq4 --objective eq4
        namid train-estimators --target runs/at --kind standard --out runs/standard
        namid train-estimators --target runs/at --control shuffled --out runs/shuffled
      """)

  @Option(help: .init("The run of a trained network.", valueName: "folder"))
  var target: String?
  @Option(help: "natural-adversarial or standard.")
  var kind: String?
  @Option(help: "eq4, eq5 or cosine.")
  var objective: String?
  @Option(help: "random or shuffled: estimators that know nothing, to compare with.")
  var control: String?
  @OptionGroup var options: RunOptions

  func run() throws {
    try options.carryOut({ try resolved(seed: $1) }) { configuration, folder, workplace in
      try Self.carryOut(configuration, in: folder, resume: options.resume, workplace)
      let defense = configuration.kind == .pair ? "namid" : "wmim"
      note("done: namid train --defense \(defense) --estimators \(folder.relativePath) --out …")
    }
  }

  /// Trains estimators.
  static func carryOut(
    _ configuration: EstimatorConfiguration, in folder: URL, resume: Bool, _ workplace: Workplace
  ) throws {
    OutOfMemory.expect(
      .smallerSteps(setting: "batchSize", now: configuration.batchSize, run: folder))
    let job = try EstimatorRun(
      configuration, in: folder, data: workplace.data, resume: resume, device: workplace.device,
      catalog: Parts.catalog, say: note)
    note(job.summary)
    MachineReport.noteEmulation(
      configuration.precision, on: workplace.device, setting: "precision")
    let progress = TrainingProgress()
    try job.fit(progress.show)
  }

  /// The settings; data, ball and attack are the target's unless said otherwise.
  func resolved(seed: Int?) throws -> EstimatorConfiguration {
    let isReference = options.preset == .reference
    var defaults = isReference ? EstimatorConfiguration.reference : EstimatorConfiguration()
    if kind == EstimatorKind.standard.rawValue && !isReference { defaults = .standard }
    let overrides = options.overrides(
      epochsKey: "epochs",
      flags: [("kind", kind), ("objective", objective), ("control", control)], seed: seed)
    let load = { (defaults: EstimatorConfiguration) in
      try ConfigurationLoader.load(defaults: defaults, file: options.file, overrides: overrides)
    }
    if let target {
      defaults.target = target
      // The seed, which the target's name may hold, can come from everywhere.
      let place = insertingSeed(try load(defaults).seed, into: target)
      defaults.target = place
      let theirs = try SavedNetwork.configuration(
        of: URL(filePath: place), catalog: Parts.catalog)
      defaults.data = theirs.data
      defaults.threat = theirs.threat
      if !isReference { defaults.attack = theirs.attack }
    }
    var configuration = try load(defaults)
    configuration.target = configuration.target.map {
      insertingSeed(configuration.seed, into: $0)
    }
    return configuration
  }
}
