import NamidTorch

/// The steps of APGD in L∞ and L2 (Croce and Hein, ICML 2020, Algorithm 1): momentum, and halving at checkpoints.
struct MomentumSteps: StepRule {
  private let threat: ThreatModel
  private let rho: Double
  private let checkpoints: Set<Int>
  private var lastCheckpoint = 0
  /// The length of a step (rows).
  private var length: Tensor
  /// The iterate before the current one; nil before the first step.
  private var previous: Tensor?
  /// Rises of the loss since the last checkpoint (rows).
  private var rises: Tensor
  /// The losses of the iterates before the current ones.
  private var lastLosses: Tensor
  /// The best losses at the last checkpoint; without meaning before the first.
  private var lastBest: Tensor
  /// True where the step was halved there (rows).
  ///
  /// Before the first checkpoint it counts as halved, because the second condition compares two of them.
  private var wasHalved: Tensor

  init(threat: ThreatModel, rho: Double, checkpoints: [Int], from begin: Tensor) {
    self.threat = threat
    self.rho = rho
    self.checkpoints = Set(checkpoints)
    rises = .zeros([begin.size(0)], dtype: begin.dtype, device: begin.device)
    length = rises.fullLike(2 * threat.epsilon.value)
    // The start is no rise; the first window compares with it.
    lastLosses = rises.fullLike(Double.infinity)
    lastBest = lastLosses
    wasHalved = rises .== 0
  }

  mutating func keep(_ kept: Kept) {
    (length, previous) = (kept.of(length), previous.map { kept.of($0) })
    (rises, lastLosses) = (kept.of(rises), kept.of(lastLosses))
    (lastBest, wasHalved) = (kept.of(lastBest), kept.of(wasHalved))
  }

  mutating func review(_ ascent: inout Ascent, after step: Int, around origin: Tensor) {
    rises = rises + (ascent.losses .> lastLosses).to(rises.dtype)
    lastLosses = ascent.losses
    guard checkpoints.contains(step) else { return }
    let risesSeldom = rises .<= rho * Double(step - lastCheckpoint)
    let isStuck = wasHalved.logicalNot() .& (lastBest .>= ascent.bestLosses)
    let halves = risesSeldom .| isStuck
    length = (length * 0.5).where(halves, else: length)
    // The iterate before stays as it is, so that the next momentum points from it to the best one, as in the code.
    ascent.returnToBest(halves)
    (wasHalved, lastBest, rises) = (halves, ascent.bestLosses, rises.zerosLike())
    lastCheckpoint = step
  }

  mutating func next(after ascent: Ascent, around origin: Tensor) -> Tensor {
    let current = ascent.current
    let direction = threat.steepestAscent(ascent.gradient)
    let plain = threat.project(current + direction * Ascent.perImage(length), around: origin)
    defer { previous = current }
    guard let previous else { return plain }
    return threat.project(
      current + (plain - current) * 0.75 + (current - previous) * 0.25, around: origin)
  }
}

/// The steps of APGD in L1 (Croce and Hein, ICML 2021, Algorithm 1): few values at a time, as many as the best iterate
/// suggests, without momentum.
struct SparseSteps: StepRule {
  private let threat: ThreatModel
  /// Steps between two reviews.
  private let window: Int
  /// The length of a step (rows).
  private var length: Tensor
  /// The number of values that a step changes (rows), float64.
  private var support: Tensor
  /// An upper bound of the largest `support`, on the host.
  private var largestSupport: Int
  /// The number of values of the best iterate that differed from the image at the last review (rows), float64.
  private var lastCount: Tensor

  /// Steps from a random start, which does not say how many values to change, or from a point that does (`isWarm`).
  init(threat: ThreatModel, steps: Int, from begin: Tensor, around origin: Tensor, isWarm: Bool) {
    self.threat = threat
    window = max(steps * 4 / 100, 1)
    let size = Double(origin.shape.dropFirst().reduce(1, *))
    length = .full(
      [begin.size(0)], threat.epsilon.value, dtype: begin.dtype, device: begin.device)
    let counts = Self.changes(begin, origin)
    lastCount = isWarm ? counts : counts.fullLike(size)
    support = isWarm ? Self.support(counts) : counts.fullLike((0.2 * size).rounded(.up))
    largestSupport = Self.largest(support)
  }

  mutating func keep(_ kept: Kept) {
    (length, support) = (kept.of(length), kept.of(support))
    lastCount = kept.of(lastCount)
  }

  mutating func review(_ ascent: inout Ascent, after step: Int, around origin: Tensor) {
    if step == 0 || step % window != 0 { return }
    let epsilon = threat.epsilon.value
    let counts = Self.changes(ascent.best, origin)
    let isSparser = counts .< lastCount * 0.95
    let shorter = (length / 1.5).clamp(min: epsilon / 10)
    length = length.fullLike(epsilon).where(isSparser, else: shorter)
    ascent.returnToBest(isSparser)
    (support, lastCount) = (Self.support(counts), counts)
    largestSupport = Self.largest(support)
  }

  mutating func next(after ascent: Ascent, around origin: Tensor) -> Tensor {
    let sizes = ascent.gradient.abs().flatten(1)
    let places = (support - 1).to(.int64).unsqueeze(1)
    let threshold = sizes.topk(largestSupport).values.gather(places, dim: 1)
    let chosen = (sizes .>= threshold).to(ascent.gradient.dtype).reshape(ascent.gradient.shape)
    let signs = ascent.gradient.sign() * chosen
    let unit = signs / (signs.abs().sum([1, 2, 3], keepdim: true) + 1e-10)
    return threat.project(ascent.current + unit * Ascent.perImage(length), around: origin)
  }

  /// Two thirds of the changed values, at least one.
  private static func support(_ counts: Tensor) -> Tensor {
    -(-counts / 1.5).floor().clamp(max: -1)
  }

  /// The number of values that differ by more than what the projection's rounding may leave of none.
  private static func changes(_ images: Tensor, _ origin: Tensor) -> Tensor {
    ((images - origin).abs() .> 1e-8).to(.float64).sum([1, 2, 3])
  }

  private static func largest(_ support: Tensor) -> Int { Int(support.max().item()) }
}

/// The state of the rows of a run of APGD: iterate, loss and gradient, and the best of all since the start.
struct Ascent {
  /// The iterates (rows, C, H, W).
  private(set) var current: Tensor
  /// The losses (rows) of the iterates last evaluated.
  private(set) var losses: Tensor
  /// The gradients at `current`.
  private(set) var gradient: Tensor
  /// The iterates with the largest losses.
  private(set) var best: Tensor
  /// Their losses.
  private(set) var bestLosses: Tensor
  private var bestGradient: Tensor

  /// Rows about to be evaluated for the first time; anything is better than what is not yet known.
  init(from begin: Tensor) {
    current = begin
    gradient = begin.zerosLike()
    losses = .full([begin.size(0)], -Double.infinity, dtype: begin.dtype, device: begin.device)
    (best, bestGradient, bestLosses) = (begin, gradient, losses)
  }

  /// Takes over an evaluated iterate.
  mutating func move(to next: Tensor, losses: Tensor, gradient: Tensor) {
    let improves = losses .> bestLosses
    let perImage = Self.perImage(improves)
    current = next
    self.losses = losses
    self.gradient = gradient
    best = next.where(perImage, else: best)
    bestGradient = gradient.where(perImage, else: bestGradient)
    bestLosses = losses.where(improves, else: bestLosses)
  }

  /// The best iterates, with one more taken into account.
  func best(or last: Tensor, losses: Tensor) -> Tensor {
    last.where(Self.perImage(losses .> bestLosses), else: best)
  }

  /// Puts some rows (a mask) back to their best iterate.
  mutating func returnToBest(_ rows: Tensor) {
    let perImage = Self.perImage(rows)
    current = best.where(perImage, else: current)
    gradient = bestGradient.where(perImage, else: gradient)
  }

  /// Goes on with some rows only.
  mutating func keep(_ kept: Kept) {
    (current, losses, gradient) = (kept.of(current), kept.of(losses), kept.of(gradient))
    (best, bestLosses) = (kept.of(best), kept.of(bestLosses))
    bestGradient = kept.of(bestGradient)
  }

  /// One value per row, shaped to broadcast against images.
  static func perImage(_ values: Tensor) -> Tensor { values.reshape([-1, 1, 1, 1]) }
}

/// The rule by which APGD makes its steps and adapts their lengths, with its memory per row.
protocol StepRule {
  /// Goes on with some rows only.
  mutating func keep(_ kept: Kept)
  /// Looks at the iterate that `step` led to, 0 being the start: may change the step's length and send rows back to
  /// their best.
  mutating func review(_ ascent: inout Ascent, after step: Int, around origin: Tensor)
  /// The next iterate.
  mutating func next(after ascent: Ascent, around origin: Tensor) -> Tensor
}
