import NamidAttacks
import NamidData
import NamidFiles
import NamidNetworks
import NamidTorch

/// A network measured under several attacks on one data set.
public struct RobustnessMeasurement {
  /// The summary with its specification.
  public var report: EvaluationReport
  /// The outcome of each attack, in order.
  public var outcomes: [Evaluator.Outcome]
  /// The batches kept on disk; finish it when the figures have been reported.
  public let state: EvaluationState?
}

extension Evaluator {
  /// Measures a network: unattacked, under attacks, and with checks of whether its figures can be trusted.
  ///
  /// Clean accuracy is measured in any case. With the goal `strongest` and no other source, images are made on the
  /// network itself with the whole budget of each attack.
  ///
  /// - Parameters:
  ///   - request: The figures that are asked for.
  ///   - subject: The network that is judged.
  ///   - source: Another network that images are made on, the strongest that each attack finds there.
  ///   - set: The images of the request.
  ///   - attacks: The attacks of the request, parsed.
  ///   - conduct: Batches, state on disk and words for people.
  /// - Returns: The report with the verdict on every image.
  /// - Throws: `EvaluationError`, or when files or figures cannot be written.
  public static func measure(
    _ request: EvaluationRequest, of subject: MeasuredNetwork,
    craftedOn source: MeasuredNetwork? = nil, on set: ImageSet, by attacks: [any Attack],
    _ conduct: EvaluationConduct = EvaluationConduct()
  ) throws -> RobustnessMeasurement {
    if set.count == 0 { throw EvaluationError.noImages }
    try request.threat.checkRadius(valuesPerImage: set.bytesPerImage)
    let network = subject.network
    let source = source ?? (request.goal == .strongest ? subject : nil)
    for each in [network] + (source.map { [$0.network] } ?? []) { try checkWeights(each) }
    var report = try EvaluationReport(
      dataset: EvaluationReport.Data(
        name: set.title, split: set.split.rawValue, count: set.count, fingerprint: set.fingerprint),
      model: .init(subject), source: source.map { .init($0) }, threat: request.threat,
      cleanAccuracy: 0,
      attacks: attacks.map { AttackReport(unmeasured: $0, isTransfer: source != nil) },
      seed: request.seed)
    let plan = try EvaluationPlan(report, on: set, attacks)
    let state = try conduct.place.map {
      try EvaluationState(
        $0, plan: plan, imageShape: [set.channels, set.height, set.width], fresh: conduct.isFresh)
    }
    let data = ImageTensors(set, device: network.store.device)
    let evaluator = Evaluator(
      network, on: data, batchSize: conduct.batchSize, seed: request.seed,
      craftedOn: source?.network)
    let session = EvaluationSession(evaluator, keepsImages: request.keepsImages)
    let size = evaluator.batchSize
    conduct.say("\(set.count) images in batches of \(size), \(data.device)")
    try state?.restore(
      into: session, batchSize: size, withImages: request.keepsImages, say: conduct.say)
    let save = { (chunk: Chunk, member: MemberPlan) throws in
      try state?.save(chunk, of: member) ?? ()
    }

    let clean = try session.clean(save: save, report: conduct.progress)
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
    var outcomes = try attacks.map {
      try session.outcome(of: $0, save: save, report: conduct.progress)
    }
    for (place, attack) in attacks.enumerated() {
      outcomes[place].report.fallback = attack.fallback(classCount: network.classCount)
    }
    let isRight = (0..<set.count).map { clean.verdicts[$0]?.fooled == false }
    report.cleanAccuracy = Share(isRight.count(where: \.self), of: set.count).accuracy
    report.attacks = outcomes.map(\.report)
    report.worstCase = WorstCase(outcomes)
    report.cost = session.cost
    report.flags = flags + (source == nil ? VerdictChecks.queriesStronger(outcomes) : [])
    report.samples = SampleNames(
      index: set.indices, label: set.labels, clean: isRight.map { $0 ? 1 : 0 })
    return RobustnessMeasurement(report: report, outcomes: outcomes, state: state)
  }

  private static func checkWeights(_ network: Network) throws(EvaluationError) {
    let broken = network.store.state.filter { $0.tensor.isfinite().all().bools() != [true] }
    if !broken.isEmpty { throw .weightsNotFinite(names: broken.map(\.name)) }
  }
}

extension EvaluationReport.Model {
  fileprivate init(_ subject: MeasuredNetwork) {
    let network = subject.network
    self.init(
      name: subject.name, architecture: network.specification.architecture,
      parameters: network.store.parameterCount, checkpoint: subject.checkpoint,
      fingerprint: network.fingerprint)
  }
}
