import Namid

/// A step that trains both estimators by Equation 5 on a fixed network.
struct EstimatorWork: MeasuredWork {
  private let network: Network
  private let estimators: EstimatorPair
  private let optimizers: [Adam]
  private let batch: Batch
  private let attack: TrainingAttack
  private let precision: Precision
  private(set) var facts: [String: Double] = [:]

  /// Prepares a step and makes the first one.
  init(
    _ inputs: WorkInputs, estimators: EstimatorPair, count: Int, steps: Int, precision: Precision
  ) throws {
    network = inputs.network
    self.estimators = estimators
    self.precision = precision
    let (images, labels) = try inputs.first(count)
    batch = Batch(
      images: images.contiguous(.channelsLast), labels: labels, indices: Array(0..<count))
    attack = TrainingAttack(PGD(in: TrainingWork.threat) { $0.steps = steps })
    estimators.isTraining = true
    optimizers = [estimators.natural, estimators.adversarial].map { Adam($0.store) }
    facts["training_loss"] = step().reduce(0) { $0 + $1.item() }
  }

  func run() { _ = step() }

  private func step() -> [Tensor] {
    for store in [estimators.natural.store, estimators.adversarial.store] { store.zeroGrad() }
    let losses = withPrecision(precision, on: network.store.device) {
      let attacked = attack.craft(
        on: network, batch: batch,
        streams: RandomStreams(WorkInputs.streams(batch.indices.count)))
      let (natural, adversarial) = withoutGrad {
        (network.logits(batch.images), network.logits(attacked))
      }
      let losses = estimators.trainingLosses(
        images: batch.images, attacked: attacked, labels: batch.labels, naturalLogits: natural,
        adversarialLogits: adversarial, objective: .eq5)
      return [losses.natural, losses.adversarial]
    }
    for (loss, optimizer) in zip(losses, optimizers) {
      guard let loss else { continue }
      loss.backward()
      optimizer.step(learningRate: 1e-3)
    }
    return losses.compactMap { $0?.detach() }
  }
}
