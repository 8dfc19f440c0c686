import ArgumentParser
import Attacks
import Datasets
import Evaluation
import Foundation
import Records
import Torch
import Training

/// `namid evaluate`.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained network, unattacked and under attacks.",
    discussion: """
      Always in float32 and evaluation mode; results do not depend on the batch \
      size. Attacks are separated by commas, their settings by colons. Steps are \
      ε/4 long unless step_size is given.

      Examples:
        namid evaluate runs/at --attack clean,pgd-20
        namid evaluate runs/at --attack pgd-40:restarts=5 --json at.json
        namid evaluate runs/at --checkpoint best --limit 1000 --norm l2 --epsilon 0.5
      """)

  @Argument(help: ArgumentHelp("The run of a trained network.", valueName: "run"))
  var folder: String
  @Option(help: ArgumentHelp("Attacks, separated by commas.", valueName: "list"))
  var attack = "clean,pgd-20"
  @Option(help: "Which checkpoint: latest, best or an epoch's number.")
  var checkpoint: CheckpointFolder.Choice = .latest
  @Option(help: ArgumentHelp("A data set's name; the run's by default.", valueName: "name"))
  var dataset: String?
  @Option(help: "Which images: train or test.")
  var split = Split.test
  @Option(help: ArgumentHelp("Use only n images, drawn evenly from all classes.", valueName: "n"))
  var limit: Int?
  @Option(help: ArgumentHelp("Radius of the ball; the run's by default.", valueName: "radius"))
  var epsilon: Fraction?
  @Option(help: "linf or l2; the run's by default.")
  var norm: Norm?
  @Option(help: "Seed of all random numbers.")
  var seed = 0
  @Option(help: ArgumentHelp("Images handed to the network at once.", valueName: "n"))
  var batchSize = 128
  @Option(
    help: ArgumentHelp("Write the figures as JSON; - for standard output.", valueName: "file"))
  var json: String?
  @Option(help: ArgumentHelp("Write attacked images (safetensors).", valueName: "file"))
  var saveAdversarial: String?
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    if batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
    if let epsilon, epsilon.value < 0 {
      throw ValidationError("--epsilon must not be negative")
    }
  }

  func run() throws {
    let saved = try SavedNetwork(
      run: URL(filePath: folder), checkpoint, device: device.prepare())
    var threat = saved.configuration.threat
    if let epsilon { threat.epsilon = epsilon }
    if let norm { threat.norm = norm }
    let attacks = try AttackList.parse(attack, threat: threat)
    var set = try Datasets.load(
      dataset ?? saved.configuration.data.name, split: split, directory: data.directory)
    if let limit, limit < set.count {
      set = try set.sample(limit, seed: UInt64(bitPattern: Int64(seed)))
    }
    try saved.check(set)

    let progress = EvaluationProgress()
    let measurement = try RobustnessMeasurement(
      of: saved.network, named: folder, checkpoint: "epoch \(saved.checkpoint.epoch)", on: set,
      threat: threat, attacks: attacks, batchSize: batchSize, seed: seed,
      keepsImages: saveAdversarial != nil, progress: progress.show)
    progress.finish()
    if let saveAdversarial { try save(measurement, set, to: URL(filePath: saveAdversarial)) }
    try report(measurement.report)
  }

  private func report(_ report: EvaluationReport) throws {
    if let json {
      let text = try JSONValue(encoding: report).data(indent: 2) + Data("\n".utf8)
      if json == "-" {
        FileHandle.standardOutput.write(text)
        return
      }
      try AtomicFile.write(text, to: URL(filePath: json))
    }
    print(
      "\(report.dataset.name), \(report.dataset.count) \(report.dataset.split) images; "
        + "\(report.threat.norm) ε \(report.threat.epsilonText); \(report.model.checkpoint); "
        + "spec \(report.specificationHash)")
    print(EvaluationProgress.table(report.attacks).text, terminator: "")
  }

  private func save(_ measurement: RobustnessMeasurement, _ set: ImageSet, to url: URL) throws {
    var tensors = [(name: "labels", tensor: Tensor(set.labels, shape: [set.count]))]
    var uses: [String: Int] = [:]
    for outcome in measurement.outcomes {
      // The same attack with other settings has the same name: the second one is `pgd-20#2`.
      let use = uses[outcome.report.name, default: 0] + 1
      uses[outcome.report.name] = use
      let name = outcome.report.name + (use == 1 ? "" : "#\(use)")
      if let images = outcome.images { tensors.append(("\(name).images", images)) }
      let robust = Tensor(outcome.isRobust.map { $0 ? UInt8(1) : 0 }, shape: [set.count])
      tensors.append(("\(name).robust", robust))
    }
    try Weights.write(
      tensors, metadata: ["spec_hash": measurement.report.specificationHash], to: url)
  }
}

/// Shows how far attacks are, and what they came to.
final class EvaluationProgress {
  private var line: ProgressLine?
  private var name = ""

  func show(_ attack: String, _ progress: Evaluator.Progress) {
    if name != attack {
      line?.finish()
      line = ProgressLine(attack, total: progress.total, unit: "images")
      name = attack
    }
    let share = Double(progress.robust) / Double(max(progress.done, 1))
    line?.update(progress.done, notes: [("right", percent(share))])
  }

  func finish() { line?.finish() }

  static func table(_ attacks: [AttackReport]) -> TextTable {
    var table = TextTable(["attack", "right", "95 % interval", "images", "forwards", "seconds"])
    for attack in attacks {
      table.append([
        attack.name, percent(attack.robustAccuracy),
        attack.interval.map { String(format: "%.1f", 100 * $0) }.joined(separator: " – "),
        "\(attack.robust)/\(attack.total)", "\(attack.forwards)",
        String(format: "%.1f", attack.seconds),
      ])
    }
    return table
  }
}

extension CheckpointFolder.Choice: ExpressibleByArgument {
  /// Parses `latest`, `best` or a number.
  public init?(argument: String) { self.init(argument) }
}
extension Norm: ExpressibleByArgument {}
extension Split: ExpressibleByArgument {}
