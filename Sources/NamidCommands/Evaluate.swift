import ArgumentParser
import Foundation
import NamidEvaluation
import NamidReports
import NamidTraining

/// `namid evaluate`.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained network, unattacked and under attacks.",
    discussion: """
      Always in float32 and evaluation mode; results do not depend on the batch \
      size. Attacks are separated by commas, their settings by colons; `namid \
      attacks` lists them. Every claim of an attack is checked on the image that it \
      has made. After an interruption the same command continues.

      Several runs, or the seeds of one experiment, are measured one after the other \
      and summed up: mean ± standard deviation and their number.

      The figures stay in the run's folder, too (evaluations/), and its model card \
      (README.md, robustbench.json) is written anew.

      In the place of a run may stand a file: weights of torch.save (.pt, .pth, \
      .ckpt) or safetensors, whose network is read off names and shapes; a program \
      of torch.export.save (.pt2), whatever its architecture; or a TorchScript \
      archive. Nothing but operators on tensors is executed.

      Examples:
        namid evaluate model.pt --dataset cifar10 --attack autoattack --limit 1000
        namid evaluate model.pt --normalize cifar10 --attack clean
        namid evaluate runs/at --attack clean,pgd-20
        namid evaluate runs/at --attack pgd-40:restarts=5 --json at.json
        namid evaluate runs/at --checkpoint best --limit 1000 --norm l2 --epsilon 0.5
        namid evaluate runs/mart --seeds 0,1,2 --attack pgd-40,autoattack
      """)

  @Argument(
    help: .init("The run or the file of a trained network, or several.", valueName: "model"))
  var folders: [String]
  @Option(
    help: ArgumentHelp(
      "Measure the runs of these seeds: seed-N below the folder, as `namid train --seeds` makes "
        + "them.", discussion: "{seed} in the folder's name stands for the seed.",
      valueName: "list"))
  var seeds: SeedList?
  @Option(help: .init("Attacks, separated by commas.", valueName: "list"))
  var attack = "clean,pgd-20"
  @Option(help: "Which checkpoint: latest, best or an epoch's number.")
  var checkpoint: CheckpointFolder.Choice = .latest
  @OptionGroup var output: EvaluationOutput
  @OptionGroup var state: StateOptions
  @OptionGroup var options: EvaluationOptions

  func validate() throws {
    if folders.isEmpty { throw ValidationError("Missing expected argument '<model>'") }
    guard runs.count > 1 else { return }
    if output.saveAdversarial != nil {
      throw ValidationError("--save-adversarial is for one run, and \(runs.count) are listed")
    }
    if state.state != nil {
      throw ValidationError("--state is for one run, and \(runs.count) are listed")
    }
  }

  /// The folders of all runs that are to be measured.
  private var runs: [String] {
    guard let seeds else { return folders }
    return folders.flatMap { folder in
      seeds.values.map { seed in
        folder.contains("{seed}")
          ? insertingSeed(seed, into: folder)
          : URL(filePath: folder).appending(path: "seed-\(seed)").relativePath
      }
    }
  }

  func run() throws {
    try output.check()
    let subjects = try runs.map { run in
      try options.subject(
        run: run, checkpoint: checkpoint, attack: attack,
        keepsImages: output.saveAdversarial != nil)
    }
    try check(subjects)
    let measurements = try subjects.map { subject in
      if subjects.count > 1 { note("measuring \(subject.network.name)") }
      return try Self.measure(
        subject, keepingStateIn: state.place(run: subject.network.name), fresh: state.isFresh)
    }
    if measurements.count == 1 {
      try output.report(measurements[0], subjects[0].set)
      return
    }
    let report = try RepeatedReport(measurements.map(\.report))
    try output.figures.write(report, asText: RepeatedText(report: report).text)
    for measurement in measurements { measurement.state?.finish() }
  }

  /// Throws where figures of two runs could not be averaged: better now than after hours.
  private func check(_ subjects: [EvaluationSubject]) throws {
    guard subjects.count > 1 else { return }
    let first = subjects[0]
    let images = first.set.fingerprint
    for subject in subjects.dropFirst() {
      let difference =
        subject.set.fingerprint != images
        ? "other images"
        : subject.request.threat != first.request.threat ? "another ball" : nil
      if let difference {
        throw EvaluationError.differentMeasurements(
          first: first.network.name, other: subject.network.name, of: difference)
      }
    }
  }

  /// Measures a run, and leaves the figures in its folder, too.
  static func measure(
    _ subject: EvaluationSubject, keepingStateIn place: EvaluationState.Place, fresh: Bool
  ) throws -> RobustnessMeasurement {
    let measurement = try subject.measure(keepingStateIn: place, fresh: fresh)
    guard subject.saved.file == nil else { return measurement }
    RunCard.write(
      afterEvaluation: URL(filePath: subject.network.name), measurement.report, texts: ToolTexts(),
      catalog: Parts.catalog,
      say: note)
    return measurement
  }
}
