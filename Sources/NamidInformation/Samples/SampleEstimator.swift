import NamidNetworks
import NamidTorch

/// An estimator that trains a critic on some samples and measures a bound on others.
public struct SampleEstimator: Sendable {
  /// The bound that is measured.
  public var bound: InformationBound
  /// The form of the critic; without effect on a bound that takes a density.
  public var critic = CriticKind.joint
  /// The widths of the critic's hidden layers.
  public var hidden = [32, 16]
  /// The learning rate of Adam.
  public var learningRate = 2e-3
  /// The number of pairs in a batch; it sets the cap of bounds that have one.
  public var batchSize = 256
  /// The largest number of training steps.
  public var steps = 10_000
  /// The number of steps between measurements on the validation split.
  public var interval = 100
  /// The number of such measurements without improvement after which training stops.
  public var patience = 10
  /// The share of samples that decides when training stops.
  public var validationShare = 0.2
  /// The share of samples that the value is measured on.
  public var heldOutShare = 0.3
  /// The seed of the split, the initial weights and the batches.
  public var seed = 0

  /// Creates an estimator with default settings.
  public init(_ bound: InformationBound) { self.bound = bound }

  /// The fewest samples that leave one batch for the held-out value and two pairs for each other split.
  public var fewestSamples: Int {
    let shares = [heldOutShare, validationShare, 1 - heldOutShare - validationShare]
    return Int((Double(batchSize) / (shares.min() ?? 1)).rounded(.up))
  }

  /// Estimates I(X; Z).
  ///
  /// - Parameters:
  ///   - x: (N, dx), finite numbers; each column is standardised with the training split's mean and deviation.
  ///   - z: (N, dz), likewise.
  ///   - progress: A closure called with the step and the value at each measurement on the validation split.
  /// - Returns: The value on the held-out split, at the weights that were best on the validation split.
  /// - Precondition: At least `fewestSamples` rows.
  public func estimate(
    _ x: Tensor, _ z: Tensor, progress: (SampleEstimate.Point) -> Void = { _ in }
  ) -> SampleEstimate {
    let count = x.size(0)
    precondition(count >= fewestSamples && z.size(0) == count, "\(count) rows")
    let stream = RandomStream(seed: seed).keyed("samples")
    let order = stream.keyed("split").permutation(count)
    let held = Int(heldOutShare * Double(count))
    let validated = Int(validationShare * Double(count))
    func pairs(_ range: Range<Int>) -> Pairs {
      let rows = Tensor(Array(order[range]), shape: [range.count])
      return Pairs(x: x.to(.float32).indexSelect(rows), z: z.to(.float32).indexSelect(rows))
    }
    let training = pairs((held + validated)..<count)
    let scale = Standardisation(training)
    let split = Split(
      training: scale(training), validation: scale(pairs(held..<(held + validated))),
      heldOut: scale(pairs(0..<held)))
    let critic = makeCritic(x.size(1), z.size(1), stream.keyed("critic"))
    let (taken, curve) = train(critic, split, stream.keyed("batches"), progress)
    let values = batchValues(critic, split.heldOut) { bound.value($0) }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
    return SampleEstimate(
      estimator: bound.name, nats: mean,
      standardError: values.count < 2
        ? nil : (squares / Double(values.count * (values.count - 1))).squareRoot(),
      kind: bound.kind, cap: bound.cap(min(batchSize, held)), heldOut: held,
      trained: count - held - validated, validated: validated, steps: taken, curve: curve)
  }

  private func makeCritic(_ x: Int, _ z: Int, _ stream: RandomStream) -> any Critic {
    bound.takesDensity
      ? ConditionalGaussian(x: x, z: z, hidden: hidden, stream: stream)
      : critic.make(x: x, z: z, hidden: hidden, stream: stream)
  }

  /// Trains until the validation value has stopped rising, then restores the best weights.
  private func train(
    _ critic: any Critic, _ split: Split, _ stream: RandomStream,
    _ progress: (SampleEstimate.Point) -> Void
  ) -> (steps: Int, curve: [SampleEstimate.Point]) {
    let optimizer = Adam(critic.store)
    var memory: Double?
    var best = (value: -Double.infinity, step: 0, weights: weights(of: critic))
    var curve: [SampleEstimate.Point] = []
    let rows = split.training.count
    let size = min(batchSize, rows)
    let perEpoch = rows / size
    var order: [Int] = []
    for step in 1...steps {
      let (epoch, place) = ((step - 1) / perEpoch, (step - 1) % perEpoch)
      if place == 0 { order = stream.keyed(epoch).permutation(rows) }
      let chosen = Array(order[(place * size)..<((place + 1) * size)])
      let batch = split.training.rows(Tensor(chosen, shape: [size]))
      critic.store.zeroGrad()
      (-bound.objective(critic.scores(batch.x, batch.z), &memory)).backward()
      optimizer.step(learningRate: learningRate)
      guard step % interval == 0 || step == steps else { continue }
      let values = batchValues(critic, split.validation) { bound.validation($0) }
      let point = SampleEstimate.Point(
        step: step, nats: values.reduce(0, +) / Double(values.count))
      curve.append(point)
      progress(point)
      if point.nats > best.value { best = (point.nats, step, weights(of: critic)) }
      if step - best.step >= patience * interval || !point.nats.isFinite { break }
    }
    withoutGrad {
      for (parameter, weight) in zip(critic.store.parameters, best.weights) {
        parameter.copy_(weight)
      }
    }
    return (curve.last?.step ?? 0, curve)
  }

  private func weights(of critic: any Critic) -> [Tensor] {
    critic.store.parameters.map { $0.detach().clone() }
  }

  /// Computes the values of batches of nearly equal size, about `batchSize` pairs each.
  private func batchValues(
    _ critic: any Critic, _ pairs: Pairs, _ value: (Tensor) -> Tensor
  ) -> [Double] {
    let batches = max(Int((Double(pairs.count) / Double(batchSize)).rounded()), 1)
    return withoutGrad {
      (0..<batches).map { batch in
        let range = (batch * pairs.count / batches)..<((batch + 1) * pairs.count / batches)
        let x = pairs.x.slice(range)
        return value(critic.scores(x, pairs.z.slice(range))).item()
      }
    }
  }

  private struct Split {
    let training: Pairs
    let validation: Pairs
    let heldOut: Pairs
  }
}

/// Rows of x and z that belong together.
struct Pairs {
  let x: Tensor
  let z: Tensor

  var count: Int { x.size(0) }

  func rows(_ indices: Tensor) -> Pairs {
    Pairs(x: x.indexSelect(indices), z: z.indexSelect(indices))
  }
}

/// Columns shifted and scaled to mean 0 and variance 1 on the pairs that it is made from.
struct Standardisation {
  private let x: (mean: Tensor, deviation: Tensor)
  private let z: (mean: Tensor, deviation: Tensor)

  init(_ pairs: Pairs) {
    func moments(_ samples: Tensor) -> (Tensor, Tensor) {
      let wide = samples.to(.float64)
      let deviation = wide.variance([0], correction: 0, keepdim: true).sqrt()
      return (
        wide.mean([0], keepdim: true).to(.float32), deviation.clamp(min: 1e-12).to(.float32)
      )
    }
    (x, z) = (moments(pairs.x), moments(pairs.z))
  }

  func callAsFunction(_ pairs: Pairs) -> Pairs {
    Pairs(x: (pairs.x - x.mean) / x.deviation, z: (pairs.z - z.mean) / z.deviation)
  }
}
