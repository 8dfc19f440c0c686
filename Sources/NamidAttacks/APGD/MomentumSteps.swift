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
  /// How often the loss has risen since the last checkpoint (rows).
  private var rises: Tensor
  /// The losses of the iterates before the current ones.
  private var lastLosses: Tensor
  /// The best losses at the last checkpoint; without meaning before the first.
  private var lastBest: Tensor
  /// Whether the step was halved there.
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
