import ArgumentParser
import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidFiles
import NamidSettings
import NamidTorch
import NamidTraining

/// The options of every verb that attacks a trained network: images, ball and random numbers.
struct EvaluationOptions: ParsableArguments {
  @Option(help: .init("A data set's name; the run's by default.", valueName: "name"))
  var dataset: String?
  @Option(help: "Which images: train or test.")
  var split = Split.test
  @Option(help: .init("Use only n images, drawn evenly from all classes.", valueName: "n"))
  var limit: Int?
  @Option(help: .init("Radius of the ball; the run's by default.", valueName: "radius"))
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
  @OptionGroup var model: ModelOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    if let batchSize, batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
    if let epsilon, epsilon.value < 0 {
      throw ValidationError("--epsilon must not be negative")
    }
  }

  /// The place where these options let a verb compute.
  func workplace() throws -> Workplace {
    Workplace(
      data: data.directory, device: try device.prepare(), batchSize: batchSize,
      model: try model.options(dataset: dataset))
  }

  /// Reads a run and the images, and parses the attacks; nothing is computed yet.
  func subject(
    run: String, checkpoint: CheckpointFolder.Choice, attack: String, goal: Goal = .fool,
    keepsImages: Bool = false
  ) throws -> EvaluationSubject {
    let workplace = try workplace()
    var request = try request(run: run, attack: attack)
    request.goal = goal
    request.keepsImages = keepsImages
    return try EvaluationSubject(request, of: run, checkpoint, workplace)
  }

  /// The request for a run's network; its ball is the run's unless given.
  func request(run: String, attack: String) throws -> EvaluationRequest {
    let configuration = try SavedNetwork.configuration(
      of: URL(filePath: run), catalog: Parts.catalog)
    var request = EvaluationRequest(attack, threat: configuration.threat)
    if let epsilon { request.threat.epsilon = epsilon }
    if let norm { request.threat.norm = norm }
    request.dataset = dataset
    request.split = split
    request.limit = limit
    request.seed = seed
    return request
  }
}

/// The place where a verb computes, and where its data lie.
struct Workplace {
  /// The folder that holds data sets.
  var data: URL
  /// The device of networks and images.
  var device: Device
  /// Images handed to a network at once; what suits the device when nil.
  var batchSize: Int?
  /// Choices for what the file of a network leaves open.
  var model = ModelFile.Options()
}

/// A trained network with the images and attacks of a request, all of it checked.
struct EvaluationSubject {
  let request: EvaluationRequest
  let saved: SavedNetwork
  let network: MeasuredNetwork
  let set: ImageSet
  let attacks: [any Attack]
  /// Images handed to the network at once.
  let batchSize: Int

  /// Reads a run and the images, and parses the attacks; nothing is computed yet.
  init(
    _ request: EvaluationRequest, of run: String, _ checkpoint: CheckpointFolder.Choice,
    _ workplace: Workplace
  ) throws {
    self.request = request
    attacks = try Parts.catalog.attacks(request.attacks, in: request.threat, say: note)
    let path = URL(filePath: run)
    let configuration = try SavedNetwork.configuration(of: path, catalog: Parts.catalog)
    set = try request.images(
      from: Parts.catalog.dataset(request.dataset ?? configuration.data.name), in: workplace.data,
      say: note)
    var options = workplace.model
    options.recognition.image = (set.channels, set.height, set.width)
    saved = try SavedNetwork(
      opening: path, checkpoint, options, device: workplace.device, catalog: Parts.catalog)
    network = MeasuredNetwork(saved, named: run)
    try saved.check(set)
    try ModelCheck(saved, on: set)?.say(note)
    let size = min(
      workplace.batchSize ?? Evaluator.batchSize(on: workplace.device), set.count,
      Restart.batchSize ?? .max)
    OutOfMemory.expect(.smallerBatches(than: size))
    batchSize = max(1, size)
  }

  /// Measures, and shows how far it is.
  func measure(
    craftedOn source: MeasuredNetwork? = nil, keepingStateIn place: EvaluationState.Place,
    fresh: Bool
  ) throws -> RobustnessMeasurement {
    let progress = EvaluationProgress()
    defer { progress.finish() }
    return try Evaluator.measure(
      request, of: network, craftedOn: source, on: set, by: attacks,
      EvaluationConduct(
        batchSize: batchSize, keepingStateIn: place, fresh: fresh, progress: progress.show,
        say: note))
  }
}

extension MeasuredNetwork {
  /// A network of a run, with the name of its checkpoint.
  init(_ saved: SavedNetwork, named run: String) {
    self.init(saved.network, named: run, checkpoint: saved.checkpointTitle)
  }
}

/// The place where an evaluation keeps finished batches.
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
    if let state { return .folder(URL(filePath: state)) }
    let path = URL(filePath: run)
    return FileKind(of: path) == .file
      ? .folder(path.appendingPathExtension("evaluation")) : .run(path)
  }

  /// The way in which a measurement of mutual information on a run is carried out.
  func conduct(of run: String, _ workplace: Workplace) -> InformationConduct {
    InformationConduct(
      place: place(run: run), isFresh: isFresh, command: commandLine(), workplace: workplace)
  }
}

extension CheckpointFolder.Choice: ExpressibleByArgument {
  /// Parses `latest`, `best` or a number.
  public init?(argument: String) { self.init(argument) }
}
extension Norm: ExpressibleByArgument {}
extension Split: ExpressibleByArgument {}
