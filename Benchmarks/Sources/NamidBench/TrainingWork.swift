import Namid

/// A training step as the trainer makes it: crafting, loss, gradient, optimizer.
struct TrainingWork: MeasuredWork {
  private let network: Network
  private let defense: any Defense
  private let batch: Batch
  private let precision: Precision
  private let device: Device
  private let optimizer: SGD
  private let isAttackOnly: Bool
  private let streams: RandomStreams
  private let recordings: BatchRecordings<Tensor>?
  let facts: [String: Double]

  /// Prepares a step and makes the first one.
  ///
  /// - Parameters:
  ///   - inputs: The network and the batch.
  ///   - count: Images of the batch.
  ///   - steps: Steps of the attack.
  ///   - precision: The precision of convolutions and products.
  ///   - estimators: Those of NAMID; nil for standard adversarial training.
  ///   - isAttackOnly: True where images are crafted and no more.
  ///   - isRecorded: True where the step is a CUDA graph.
  /// - Throws: `SuiteError` when the batch has too few images, `TrainingError` when there are no graphs.
  init(
    _ inputs: WorkInputs, count: Int, steps: Int, precision: Precision,
    estimators: EstimatorPair? = nil, isAttackOnly: Bool = false, isRecorded: Bool = false
  ) throws {
    guard !isRecorded || inputs.device != .cpu && Graph.isAvailable else {
      throw TrainingError.noGraphs(inputs.device)
    }
    recordings = isRecorded ? BatchRecordings(on: inputs.device) : nil
    streams = RandomStreams(WorkInputs.streams(count))
    let network = inputs.network
    (self.network, device) = (network, inputs.device)
    self.precision = precision
    self.isAttackOnly = isAttackOnly
    let (images, labels) = try inputs.first(count)
    let batch = Batch(
      images: images.contiguous(.channelsLast), labels: labels, indices: Array(0..<count))
    self.batch = batch
    let attack = TrainingAttack(PGD(in: Self.threat) { $0.steps = steps })
    defense =
      estimators.map { NAMID(StandardAT(attack: attack), estimators: $0) }
      ?? StandardAT(attack: attack)
    if isRecorded, defense.asksDevice { throw TrainingError.stepAsksDevice(defense: defense.name) }
    network.isTraining = true
    optimizer = SGD(network.store, momentum: 0.9, weightDecay: 2e-4)
    let attacked = Self.crafted(defense, network, batch, streams, precision, device)
    var facts: [String: Double] = [:]
    facts["attacked_loss"] = network.evaluating {
      withoutGrad { network.logits(attacked ?? batch.images).crossEntropy(labels).item() }
    }
    if !isAttackOnly {
      facts["training_loss"] = Self.update(defense, network, batch, attacked, precision, optimizer)
        .item()
    }
    self.facts = facts
  }

  /// The ball of all comparisons.
  static let threat = ThreatModel(epsilon: Fraction(8, over: 255))

  func run() throws {
    guard let recordings else {
      _ = work(batch, streams)
      return
    }
    _ = try recordings.run(batch, streams: streams, stage: 0, work)
  }

  private func work(_ batch: Batch, _ streams: RandomStreams) -> Tensor? {
    let attacked = Self.crafted(defense, network, batch, streams, precision, device)
    return isAttackOnly
      ? attacked : Self.update(defense, network, batch, attacked, precision, optimizer)
  }

  private static func crafted(
    _ defense: any Defense, _ network: Network, _ batch: Batch, _ streams: RandomStreams,
    _ precision: Precision, _ device: Device
  ) -> Tensor? {
    withPrecision(precision, on: device) {
      defense.craft(on: network, batch: batch, streams: streams, epoch: 0)
    }
  }

  private static func update(
    _ defense: any Defense, _ network: Network, _ batch: Batch, _ attacked: Tensor?,
    _ precision: Precision, _ optimizer: SGD
  ) -> Tensor {
    network.store.zeroGrad()
    let loss = withPrecision(precision, on: network.store.device) {
      defense.loss(of: network, batch: batch, attacked: attacked, epoch: 0)
    }
    loss.total.backward()
    optimizer.step(learningRate: 0.01)
    return loss.total.detach()
  }
}
