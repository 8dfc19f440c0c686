import NamidAttacks
import NamidData
import NamidDefenses
import NamidInformation
import NamidNetworks
import NamidTorch

/// Steps that train MI estimators on the logits of a fixed network (Equations 4 and 5, or standard MI).
final class EstimatorTrainer: BatchTrainer {
  let plan: TrainingPlan
  private let configuration: EstimatorConfiguration
  private let target: Network
  private let estimators: Estimators
  private let optimizers: [Adam]
  private let attack: TrainingAttack

  /// A trainer of estimators on the device of their target h_θ0, which stays as it is.
  init(_ configuration: EstimatorConfiguration, target: Network, estimators: Estimators) throws {
    self.configuration = configuration
    self.target = target
    self.estimators = estimators
    plan = try configuration.plan()
    attack = configuration.attack.attack(in: configuration.threat)
    optimizers = estimators.named.map { Adam($0.estimator.store) }
  }

  var stores: [ParameterStore] { estimators.named.map(\.estimator.store) }

  var files: [CheckpointFile] {
    zip(estimators.named, optimizers).flatMap { named, optimizer in
      CheckpointFile.pair(named: named.name, named.estimator.store, optimizer)
    }
  }

  /// Takes one step of all estimators; an estimator with no selected sample stays as it is.
  func update(_ batch: Batch, streams: RandomStreams, epoch: Int, rate: Double) -> Terms {
    for store in stores { store.zeroGrad() }
    let device = target.store.device
    let (losses, share) = withPrecision(configuration.precision, on: device) {
      lossesByEstimator(batch, streams)
    }
    for (loss, optimizer) in zip(losses, optimizers) {
      guard let loss = loss.value, configuration.control != .random else { continue }
      loss.backward()
      optimizer.step(learningRate: rate)
    }
    return (share.map { [("selected", .scalar($0, device: device))] } ?? [])
      + losses.compactMap { name, loss in loss.map { (name, $0.detach()) } }
  }

  /// The loss of each estimator by name, nil without samples, and the share of selected samples.
  private func lossesByEstimator(
    _ batch: Batch, _ streams: RandomStreams
  ) -> (losses: [(name: String, value: Tensor?)], share: Double?) {
    let attacked = attack.craft(on: target, batch: batch, streams: streams)
    let (natural, adversarial) = withoutGrad {
      (target.logits(batch.images), target.logits(attacked))
    }
    // The order of a batch is random, so its neighbour is a random other sample.
    let paired = { (patterns: Tensor) in
      self.configuration.control == .shuffled ? patterns.roll([1], dims: [0]) : patterns
    }
    switch estimators {
    case .standard(let estimator):
      let loss = estimator.standardLoss(patterns: paired(attacked), logits: adversarial)
      return ([("loss_s", loss)], nil)
    case .pair(let pair):
      let losses = pair.trainingLosses(
        images: paired(batch.images), attacked: paired(attacked), labels: batch.labels,
        naturalLogits: natural, adversarialLogits: adversarial,
        objective: configuration.objective, rule: configuration.selection)
      let share = Double(losses.selection.flipped.count) / Double(batch.indices.count)
      return ([("loss_n", losses.natural), ("loss_a", losses.adversarial)], share)
    }
  }

  /// Gives no figures: estimators have no validation split.
  func validate() -> [(name: String, value: Double)] { [] }
}

extension EstimatorConfiguration {
  fileprivate func plan() throws -> TrainingPlan {
    TrainingPlan(
      // A smaller last batch is left out: estimates depend on the batch's size.
      epochs: epochs, batchSize: batchSize, dropLast: true, augmentation: data.augmentation,
      gradientPrecision: gradientPrecision, reportInterval: 5, keep: keep,
      resumptionHash: try resumptionHash(),
      stream: RandomStream(seed: seed).keyed("estimators"),
      schedule: { batches in
        Schedules.multiStep(
          learningRate, milestones: milestones.map { $0 * batches }, gamma: gamma)
      })
  }
}
