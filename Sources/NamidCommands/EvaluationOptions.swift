import ArgumentParser
import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidSettings
import NamidTorch
import NamidTraining

/// What every verb that attacks a trained network takes: which images, which ball, which random numbers.
struct EvaluationOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A data set's name; the run's by default.", valueName: "name"))
  var dataset: String?
  @Option(help: "Which images: train or test.")
  var split = Split.test
  @Option(help: ArgumentHelp("Use only n images, drawn evenly from all classes.", valueName: "n"))
  var limit: Int?
  @Option(help: ArgumentHelp("Radius of the ball; the run's by default.", valueName: "radius"))
  var epsilon: Fraction?
  @Option(help: "linf, l2 or l1; the run's by default.")
  var norm: Norm?
  @Option(help: "Seed of all random numbers.")
  var seed = 0
  @Option(
    help: ArgumentHelp(
      "Images handed to the network at once; results do not depend on it.",
      discussion:
        "Default: \(Evaluator.batchSize(on: .cpu)), on CUDA \(Evaluator.batchSize(on: .cuda())).",
      valueName: "n"))
  var batchSize: Int?
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    if let batchSize, batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
    if let epsilon, epsilon.value < 0 {
      throw ValidationError("--epsilon must not be negative")
    }
  }

  /// What is going to be measured, all of it checked.
  struct Subject {
    var saved: SavedNetwork
    var set: ImageSet
    var threat: ThreatModel
    var attacks: [any Attack]
    /// Images handed to the network at once.
    var batchSize: Int
  }

  /// Reads a run and the images, and parses the attacks; nothing is computed yet.
  func subject(
    run: String, checkpoint: CheckpointFolder.Choice, attack: String
  ) throws -> Subject {
    let device = try device.prepare()
    let configuration = try SavedNetwork.configuration(of: URL(filePath: run))
    var threat = configuration.threat
    if let epsilon { threat.epsilon = epsilon }
    if let norm { threat.norm = norm }
    let attacks = try AttackList.parse(attack, threat: threat)
    let saved = try SavedNetwork(run: URL(filePath: run), checkpoint, device: device)
    var set = try Datasets.load(
      dataset ?? configuration.data.name, split: split, directory: data.directory)
    if let limit, limit < set.count {
      set = try set.sample(limit, seed: UInt64(bitPattern: Int64(seed)))
    }
    try saved.check(set)
    let size = min(
      batchSize ?? Evaluator.batchSize(on: device), set.count, Restart.batchSize ?? .max)
    OutOfMemory.expect(.smallerBatches(than: size))
    return Subject(
      saved: saved, set: set, threat: threat, attacks: attacks, batchSize: max(1, size))
  }
}

/// Where an evaluation keeps what it has finished.
struct StateOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where finished batches are kept until the end; in the run's folder by default.",
      valueName: "folder"))
  var state: String?
  @Flag(help: "Start anew even if finished batches are there.")
  var fresh = false

  /// True where earlier results are thrown away: not in a process that has begun anew with smaller batches.
  var isFresh: Bool { fresh && Restart.batchSize == nil }

  /// The place: below the run unless given.
  func place(run: String) -> EvaluationState.Place {
    state.map { .folder(URL(filePath: $0)) } ?? .run(URL(filePath: run))
  }
}

extension CheckpointFolder.Choice: ExpressibleByArgument {
  /// Parses `latest`, `best` or a number.
  public init?(argument: String) { self.init(argument) }
}
extension Norm: ExpressibleByArgument {}
extension Split: ExpressibleByArgument {}
