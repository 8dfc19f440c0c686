import Foundation
import NamidAttacks
import NamidData
import NamidFiles
import NamidNetworks
import NamidTorch

/// A network measured under several attacks on one data set.
public struct RobustnessMeasurement {
  /// Another network that images are made on, for transfer attacks.
  public struct Source {
    /// The network.
    public var network: Network
    /// Its run folder, for the record.
    public var name: String
    /// Which checkpoint it is, for the record.
    public var checkpoint: String

    /// A network with its names.
    public init(_ network: Network, named name: String, checkpoint: String) {
      self.network = network
      self.name = name
      self.checkpoint = checkpoint
    }
  }

  /// The summary with its specification.
  public var report: EvaluationReport
  /// The outcome of each attack, in order.
  public var outcomes: [Evaluator.Outcome]
  /// What was kept on disk; finish it when the figures have been reported.
  public let state: EvaluationState?

  /// Measures.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - name: Its run folder, for the record.
  ///   - checkpoint: Which checkpoint it is, for the record.
  ///   - source: Another network that images are made on, the strongest that each attack finds there.
  ///   - set: The images.
  ///   - threat: The attacker's ball.
  ///   - attacks: What to try; clean accuracy is measured in any case.
  ///   - batchSize: Images handed to the network at once; what suits the device when nil.
  ///   - seed: Seed of all random numbers.
  ///   - keepsImages: Whether attacked images are kept.
  ///   - place: Where finished batches are kept, so that an interrupted measurement continues; nil for nowhere.
  ///   - fresh: Whether finished batches found there are thrown away.
  ///   - progress: Told after each batch, with the attack's name.
  ///   - say: Told lines for people.
  /// - Throws: `EvaluationError`, or when files or figures cannot be written.
  public init(
    of network: Network, named name: String, checkpoint: String, craftedOn source: Source? = nil,
    on set: ImageSet, threat: ThreatModel, attacks: [any Attack], batchSize: Int? = nil, seed: Int,
    keepsImages: Bool = false, keepingStateIn place: EvaluationState.Place? = nil,
    fresh: Bool = false, progress: (String, Evaluator.Progress) -> Void = { _, _ in },
    say: (String) -> Void = { _ in }
  ) throws {
    if set.count == 0 { throw EvaluationError.noImages }
    try threat.checkRadius(valuesPerImage: set.bytesPerImage)
    for each in [network] + (source.map { [$0.network] } ?? []) { try Self.checkWeights(each) }
    let model = EvaluationReport.Model(network, name: name, checkpoint: checkpoint)
    let origin = source.map {
      EvaluationReport.Model($0.network, name: $0.name, checkpoint: $0.checkpoint)
    }
    let fingerprint = set.fingerprint
    let plan = try EvaluationPlan(
      set, fingerprint: fingerprint, model: model, source: origin, threat: threat,
      attacks: attacks, seed: seed)
    state = try place.map {
      try EvaluationState(
        $0, plan: plan, imageShape: [set.channels, set.height, set.width], fresh: fresh)
    }
    let data = ImageTensors(set, device: network.store.device)
    let evaluator = Evaluator(
      network, on: data, batchSize: batchSize, seed: seed, craftedOn: source?.network)
    let session = EvaluationSession(evaluator, keepsImages: keepsImages)
    let size = evaluator.batchSize
    say("\(set.count) images in batches of \(size), \(data.device)")
    try state?.restore(plan, into: session, batchSize: size, keepsImages, say: say)
    let save = { [state] (chunk: Chunk, member: MemberPlan) throws in
      try state?.save(chunk, of: member) ?? ()
    }

    let clean = try session.clean(save: save, report: progress)
    let broken = clean.verdicts.values.count { $0.problem == .notFinite }
    if broken > 0 {
      // Nothing in it is worth keeping.
      state?.finish()
      throw EvaluationError.logitsNotFinite(count: broken, total: set.count)
    }
    let few = data.batch(Array(0..<min(set.count, Diagnostics.imageCount)))
    var flags = Diagnostics.examine(
      source?.network ?? network, images: few.images, labels: few.labels)
    flags += Diagnostics.fewClasses(attacks, classCount: network.classCount)
    outcomes = try attacks.map { try session.outcome(of: $0, save: save, report: progress) }
    for (place, attack) in attacks.enumerated() {
      outcomes[place].report.fallback = attack.fallback(classCount: network.classCount)
    }
    let isRight = (0..<set.count).map { clean.verdicts[$0]?.fooled == false }
    report = try EvaluationReport(
      dataset: EvaluationReport.Data(
        name: set.title, split: set.split.rawValue, count: set.count, fingerprint: fingerprint),
      model: model, source: origin, threat: threat,
      cleanAccuracy: Share(isRight.count(where: \.self), of: set.count).accuracy,
      attacks: outcomes.map(\.report), seed: seed)
    report.worstCase = WorstCase(outcomes)
    report.cost = session.cost
    report.flags = flags + (source == nil ? VerdictChecks.queriesStronger(outcomes) : [])
    report.samples = SampleNames(index: set.indices, label: set.labels, isRight: isRight)
  }

  private static func checkWeights(_ network: Network) throws(EvaluationError) {
    let broken = network.store.state.filter { $0.tensor.isfinite().all().bools() != [true] }
    if !broken.isEmpty { throw .weightsNotFinite(names: broken.map(\.name)) }
  }
}

extension EvaluationReport.Model {
  init(_ network: Network, name: String, checkpoint: String) {
    self.init(
      name: name, architecture: network.specification.architecture,
      parameters: network.store.parameterCount, checkpoint: checkpoint,
      fingerprint: network.fingerprint)
  }
}
