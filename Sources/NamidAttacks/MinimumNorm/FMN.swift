import NamidNetworks
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
public struct FMN: Attack, Hashable, Sendable {
  /// The norm to be made small, and the radius within which a sample counts as fooled.
  public var threat: ThreatModel
  /// Gradient steps.
  public var steps: Int
  /// The Euclidean length of the first step.
  public var alpha: Double
  /// The length that steps approach along a cosine.
  public var finalAlpha: Double
  /// The share by which the radius changes in the first step.
  public var gamma: Double
  /// The share that it approaches along a cosine.
  public var finalGamma: Double

  /// An attack with the settings of its authors.
  public init(
    threat: ThreatModel, steps: Int = 100, alpha: Double = 1, finalAlpha: Double = 0.01,
    gamma: Double = 0.05, finalGamma: Double = 0.001
  ) {
    precondition(steps >= 1, "FMN with \(steps) steps")
    self.threat = threat
    self.steps = steps
    self.alpha = alpha
    self.finalAlpha = finalAlpha
    self.gamma = gamma
    self.finalGamma = finalGamma
  }

  /// `fmn-STEPS`.
  public var name: String { "fmn-\(steps)" }

  /// The norm, and the radius within which a sample counts as fooled.
  public var ball: ThreatModel? { threat }
  /// Yes.
  public var seeksSmallest: Bool { true }

  /// All settings by name.
  public var settings: [String: String] {
    [
      "steps": "\(steps)", "alpha": "\(alpha)", "alpha_final": "\(finalAlpha)",
      "gamma": "\(gamma)", "gamma_final": "\(finalGamma)",
    ]
  }

  /// Looks for the smallest perturbation of every sample that is right unattacked; the goal makes no difference.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    Search.minimumNorm(on: classifier, images: images, labels: labels, threat: threat) {
      search, found in
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
        let share = MinimumNorm.cosine(from: gamma, to: finalGamma, at: step, of: steps)
        // The paper adds the reach to the size: the same, but where pixels have met the edge of the box it might
        // never get there.
        let wider = (radius * (1 + share)).where(
          best.isfinite(), else: radius + reach(lead - point.values, gradient))
        radius = (radius * (1 - share)).minimum(best).where(errs, else: wider).minimum(farthest)
        current = project(
          current + ThreatModel.unit(gradient)
            * MinimumNorm.cosine(from: alpha, to: finalAlpha, at: step, of: steps),
          around: rows.images, radius: radius.reshape([-1, 1, 1, 1]))
      }
      found.note(current, logits: search.logits(current, of: rows), of: rows)
    }
  }

  private func size(_ change: Tensor) -> Tensor { threat.size(of: change) }

  /// How far away a margin would have risen by as much (rows) along its gradient; far beyond reach without one.
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
}

extension FMN {
  static let entry = AttackEntry(
    name: "fmn", number: "steps", summary: "fast minimum-norm attack",
    source: "Pintor et al., NeurIPS 2021", norms: Norm.allCases
  ) { threat, settings throws(AttackListError) in
    FMN(
      threat: threat, steps: try settings.integer("steps", default: 100),
      alpha: try settings.real("alpha", default: 1, excludingLow: true),
      finalAlpha: try settings.real("alpha_final", default: 0.01),
      gamma: try settings.real("gamma", default: 0.05, in: 0...0.99, excludingLow: true),
      finalGamma: try settings.real("gamma_final", default: 0.001, in: 0...0.99))
  }
}
