import NamidSettings
import NamidTorch

extension APGD {
  /// A loss (rows) of logits (rows, classes) for some samples, larger for stronger images.
  typealias Loss = (Tensor, Rows) -> Tensor

  /// One start on all survivors.
  func start(_ search: Search, _ streams: [RandomStream], maximizing loss: Loss) {
    let rows = search.survivors
    if rows.isEmpty { return }
    let stages = stages
    var images = randomImages(
      around: rows.images, within: stages[0].threat, rows.samples.map { streams[$0] })
    for (index, stage) in stages.enumerated() {
      let begin = index == 0 ? images : stage.threat.project(images, around: rows.images)
      images = ascend(
        search, rows, from: begin, within: stage, isWarm: stages.count > 1,
        isLast: index == stages.count - 1, maximizing: loss)
    }
  }

  /// A number of steps within one ball.
  struct Stage: Hashable {
    var threat: ThreatModel
    var steps: Int
  }

  /// The balls of a start, the last of them the attack's own.
  var stages: [Stage] {
    let steps = settings.steps
    let share = (3 * steps + 9) / 10
    // With so few steps that none would be left for the attack's own ball, there is only that.
    guard threat.norm == .l1, settings.largerRadii == true, steps > 2 * share else {
      return [Stage(threat: threat, steps: steps)]
    }
    func ball(_ factor: Double) -> ThreatModel {
      ThreatModel(norm: threat.norm, epsilon: Fraction(factor * threat.epsilon.value))
    }
    return [
      Stage(threat: ball(3), steps: share), Stage(threat: ball(2), steps: share),
      Stage(threat: threat, steps: steps - 2 * share),
    ]
  }

  /// The first images of a start: at the corner of a cube that touches the ball (L∞), on the sphere (L2), or at the
  /// ball's nearest point to normal noise (L1).
  func randomImages(
    around origin: Tensor, within threat: ThreatModel, _ streams: [RandomStream]
  ) -> Tensor {
    let shape = Array(origin.shape.dropFirst())
    let epsilon = threat.epsilon.value
    let noise: Tensor
    switch threat.norm {
    case .linf:
      let draws = Tensor.uniform(streams, shape: shape, low: -1, high: 1)
      noise = draws / (draws.abs().amax([1, 2, 3], keepdim: true) + 1e-12) * epsilon
    case .l2: noise = ThreatModel.unit(Tensor.normal(streams, shape: shape)) * epsilon
    case .l1: noise = Tensor.normal(streams, shape: shape)
    }
    return threat.project(origin + noise.to(origin.device), around: origin)
  }

  /// Climbs from `begin` and reports every iterate if this is the last stage; rows that are fooled then leave.
  ///
  /// Returns the images of the largest loss of the rows that are left, for the next stage to begin at.
  private func ascend(
    _ search: Search, _ rows: Rows, from begin: Tensor, within stage: Stage, isWarm: Bool,
    isLast: Bool, maximizing loss: Loss
  ) -> Tensor {
    var rows = rows
    var current = begin
    var ascent = Ascent(from: begin)
    var rule = rule(from: begin, around: rows.images, within: stage, isWarm: isWarm)
    func expectation(at images: Tensor, _ rows: Rows, withGradient: Bool) -> Expectation {
      search.expectation(
        at: images, of: rows, draws: settings.eot, withGradient: withGradient
      ) { loss($0, rows) }
    }
    for step in 0..<stage.steps {
      let found = expectation(at: current, rows, withGradient: true)
      let kept = isLast ? note(search, current, found, rows) : .all(rows.count)
      if kept.isEmpty { return current }
      rows = rows.keeping(kept)
      ascent.keep(kept)
      rule.keep(kept)
      ascent.move(
        to: kept.of(current), losses: kept.of(found.losses),
        gradient: search.gradient(at: found, of: rows, kept: kept))
      rule.review(&ascent, after: step, around: rows.images)
      current = rule.next(after: ascent, around: rows.images)
    }
    // What the last gradient and the last checkpoint would lead to is never evaluated.
    let last = expectation(at: current, rows, withGradient: false)
    if isLast { note(search, current, last, rows) }
    return ascent.best(or: current, losses: last.losses)
  }

  private func rule(
    from begin: Tensor, around origin: Tensor, within stage: Stage, isWarm: Bool
  ) -> any StepRule {
    switch threat.norm {
    case .linf, .l2:
      MomentumSteps(
        threat: stage.threat, rho: settings.rho ?? 0.75,
        checkpoints: (settings.schedule ?? .code).checkpoints(steps: stage.steps),
        from: begin)
    case .l1:
      SparseSteps(
        threat: stage.threat, steps: stage.steps, from: begin, around: origin, isWarm: isWarm)
    }
  }

  /// Reports an iterate.
  ///
  /// The losses of different targets do not compare, so that DLR tells which image is stronger.
  @discardableResult
  private func note(_ search: Search, _ current: Tensor, _ found: Expectation, _ rows: Rows)
    -> Kept
  {
    let losses =
      settings.objective == .targetedDLR
      ? AttackLoss.dlr.values(found.logits, rows.labels) : found.losses
    return search.note(current, logits: found.logits, losses: losses, of: rows)
  }
}

/// The network at some images, averaged over evaluations that may differ: expectation over transformation (Athalye
/// et al., ICML 2018).
struct Expectation {
  /// The mean logits (rows, classes), by which rows are fooled.
  let logits: Tensor
  /// The mean losses (rows).
  let losses: Tensor
  fileprivate let draws: Int
  fileprivate let slope: Slope

  fileprivate enum Slope {
    case none
    case awaited(Point)
    case known(Tensor)
  }
}

extension Search {
  /// Evaluates the network `draws` times at `current`.
  ///
  /// The authors' code judges by the last draw alone, so that the luck of one draw decides; here the mean does.
  /// Without `withGradient`, `gradient(at:of:kept:)` must not be asked for.
  func expectation(
    at current: Tensor, of rows: Rows, draws: Int, withGradient: Bool, loss: (Tensor) -> Tensor
  ) -> Expectation {
    var logits: [Tensor] = []
    var losses: [Tensor] = []
    var slope = Expectation.Slope.none
    for _ in 0..<draws {
      guard withGradient else {
        logits.append(self.logits(current, of: rows))
        losses.append(loss(logits[logits.count - 1]))
        continue
      }
      let point = point(at: current, of: rows, loss: loss)
      logits.append(point.logits)
      losses.append(point.values)
      switch slope {
      case .none where draws == 1: slope = .awaited(point)
      // Many graphs at once would not fit into memory: with several draws each gradient is taken at once.
      case .known(let sum): slope = .known(sum + gradient(at: point, of: rows))
      default: slope = .known(gradient(at: point, of: rows))
      }
    }
    return Expectation(logits: mean(logits), losses: mean(losses), draws: draws, slope: slope)
  }

  /// The mean gradient (rows, C, H, W) of the rows that were kept; only they are charged, unless it was taken before.
  func gradient(at expectation: Expectation, of rows: Rows, kept: Kept) -> Tensor {
    switch expectation.slope {
    case .none: preconditionFailure("an expectation without gradient was asked for it")
    case .awaited(let point): kept.of(gradient(at: point, of: rows))
    case .known(let sum): kept.of(sum) / Double(expectation.draws)
    }
  }

  private func mean(_ tensors: [Tensor]) -> Tensor {
    tensors.count == 1 ? tensors[0] : Tensor.stack(tensors).mean([0])
  }
}
