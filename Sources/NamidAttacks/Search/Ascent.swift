import NamidTorch

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
