import NamidSettings
import NamidTorch

/// Fast minimum-norm attack (Pintor et al., NeurIPS 2021), in L∞, L2 and L1.
///
/// Each step follows the gradient of the margin and is projected onto a ball around the image. Until the network
/// errs for the first time, the ball reaches to just beyond where the margin would vanish if it were linear; from then
/// on it shrinks by a factor, to the smallest perturbation found at most, when the iterate fools the network and
/// grows by one otherwise. The last step's image is evaluated too.
///
/// The whole budget is spent on each sample, whatever ε and the goal: one forward unattacked, `steps` + 1 more and
/// `steps` gradients, and one forward to confirm what was found.
public struct FMN: Attack, Hashable {
  /// The choices of the attack; the usual ones are its authors'.
  public struct Settings: AttackSettings {
    /// Gradient steps.
    public var steps = 100
    /// The Euclidean length of the first step.
    public var alpha = 1.0
    /// The length that steps approach along a cosine.
    public var finalAlpha = 0.01
    /// The share by which the radius changes in the first step.
    public var gamma = 0.05
    /// The share that it approaches along a cosine.
    public var finalGamma = 0.001

    /// The authors' choices.
    public init(in threat: ThreatModel) {}

    /// Refuses counts and sizes that cannot work.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      try require(steps, "steps")
      try require(alpha, "alpha", in: 0...1e10, excludingLow: true)
      try require(finalAlpha, "finalAlpha", in: 0...1e10)
      try require(gamma, "gamma", in: 0...0.99, excludingLow: true)
      try require(finalGamma, "finalGamma", in: 0...0.99)
    }
  }

  /// The choices made.
  public var settings: Settings
  /// The norm to be made small, and the radius within which a sample counts as fooled.
  public var threat: ThreatModel

  /// An attack with these choices.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// `fmn-STEPS`.
  public var name: String { "fmn-\(settings.steps)" }

  /// True: the whole budget is spent on the smallest perturbation.
  public var seeksSmallest: Bool { true }
  /// False: a fooled sample may be fooled by less.
  public var stopsWhenFooled: Bool { false }

  /// One gradient a step, and one forward more for the last image.
  public func budget(classCount: Int) -> Cost {
    Cost(forwards: settings.steps + 2, backwards: settings.steps)
  }

  /// Looks for the smallest perturbation of every sample that is right unattacked; the goal makes no difference.
  public func attack(_ search: Search) {
    let (settings, steps) = (settings, settings.steps)
    search.forSmallest(in: threat) { found in
      let rows = search.survivors
      // On a margin that is linear, a ball that ends where a finding begins would never yield one.
      let lead = found.margins.indexSelect(rows.places) * 2
      let farthest = size(rows.images.maximum(1 - rows.images))
      var radius = farthest.zerosLike()
      var current = rows.images
      for step in 0..<steps {
        let point = search.point(at: current, of: rows) {
          AttackLoss.margin.values($0, rows.labels)
        }
        let errs = found.note(current, logits: point.logits, of: rows)
        let gradient = search.gradient(at: point, of: rows).contiguous()
        let best = found.distances(of: rows)
        let share = MinimumNorm.cosine(
          from: settings.gamma, to: settings.finalGamma, at: step, of: steps)
        // The paper adds the reach to the size: the same, but where pixels have met the edge of the box it might
        // never get there.
        let wider = (radius * (1 + share)).where(
          best.isfinite(), else: radius + reach(lead - point.values, gradient))
        radius = (radius * (1 - share)).minimum(best).where(errs, else: wider).minimum(farthest)
        current = project(
          current + ThreatModel.unit(gradient)
            * MinimumNorm.cosine(
              from: settings.alpha, to: settings.finalAlpha, at: step, of: steps),
          around: rows.images, radius: radius.reshape([-1, 1, 1, 1]))
      }
      found.note(current, logits: search.logits(current, of: rows), of: rows)
    }
  }

  private func size(_ change: Tensor) -> Tensor { threat.size(of: change) }

  /// The distance at which a margin would have risen by as much (rows) along its gradient; far beyond reach without
  /// one.
  private func reach(_ rise: Tensor, _ gradient: Tensor) -> Tensor {
    let steepness = gradient.to(.float64).norm(threat.norm.dual, Array(1..<gradient.rank))
    return (rise.abs() / steepness.clamp(min: 1e-30)).to(.float32)
  }

  /// Images near the given ones within a radius (rows, 1, 1, 1) around the unattacked ones and within [0, 1].
  private func project(_ images: Tensor, around origin: Tensor, radius: Tensor) -> Tensor {
    let change = images - origin
    let inBall =
      switch threat.norm {
      case .linf: origin + change.clamp(min: -radius, max: radius)
      case .l2: origin + change * (radius / (ThreatModel.lengths(change) + 1e-12)).clamp(max: 1)
      case .l1: L1Ball.project(images, around: origin, radius: radius)
      }
    return inBall.clamp(min: 0, max: 1)
  }

  static let entry = AttackEntry(
    FMN.self, name: "fmn", number: "steps", summary: "fast minimum-norm attack",
    source: "Pintor et al., NeurIPS 2021", norms: Norm.allCases,
    oldKeys: ["alpha_final": "finalAlpha", "gamma_final": "finalGamma"])
}
