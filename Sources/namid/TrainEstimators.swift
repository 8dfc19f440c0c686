import ArgumentParser
import Foundation
import Records
import Training

/// `namid train-estimators`.
struct TrainEstimators: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the natural and the adversarial MI estimator on a network's logits.",
    discussion: """
      Objectives: eq4 and eq5 of the paper (eq5 with its lowered terms floored at \
      0), and cosine, which is what the authors' code trains. The network stays as \
      it is.

      Examples:
        namid train-estimators --target runs/at --out runs/estimators
        namid train-estimators --target runs/at --out runs/eq4 --objective eq4
      """)

  @Option(help: ArgumentHelp("The run of a trained network.", valueName: "folder"))
  var target: String?
  @Option(help: "eq4, eq5 or cosine.")
  var objective: String?
  @OptionGroup var options: RunOptions

  func run() throws {
    let configuration = try resolved()
    if options.dryRun {
      print(try ConfigurationLoader.render(configuration), terminator: "")
      return
    }
    let device = try options.device.prepare()
    let job = try EstimatorJob(
      configuration, data: options.data.directory, run: options.folder, resume: options.resume,
      device: device)
    note(job.summary)
    let progress = TrainingProgress()
    try job.fit(report: progress.show)
    note("done: namid train --defense namid --estimators \(options.out) --out …")
  }

  /// The settings; data, ball and attack are the target's unless said otherwise.
  private func resolved() throws -> EstimatorConfiguration {
    let isPaper = options.preset == .paper
    var defaults = isPaper ? EstimatorConfiguration() : .reference
    if let target {
      let theirs = try SavedNetwork.configuration(of: URL(filePath: target))
      defaults.target = target
      defaults.data = theirs.data
      defaults.threat = theirs.threat
      if isPaper { defaults.attack = theirs.attack }
    }
    return try options.resolved(
      defaults, epochsKey: "epochs", flags: [("objective", objective)])
  }
}
