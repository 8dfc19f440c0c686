import NamidNetworks
import NamidTorch

/// Decoupled direction and norm (Rony et al., CVPR 2019): small perturbations in L2.
///
/// The length of the perturbation shrinks by a factor whenever the iterate fools the network and grows by one
/// otherwise, while the gradient of the cross-entropy turns its direction. Iterates are rounded to a grid of levels
/// as image files have, and so is what is returned. The last step's image is evaluated too.
///
/// The whole budget is spent on each sample, whatever ε and the goal: one forward unattacked, `steps` + 1 more and
/// `steps` gradients, and one forward to confirm what was found.
public struct DDN: Attack, Hashable, Sendable {
  /// The norm, L2, and the radius within which a sample counts as fooled.
  public var threat: ThreatModel
  /// Gradient steps.
  public var steps: Int
  /// The share by which the length changes in a step.
  public var gamma: Double
  /// The length after the first step.
  public var initialNorm: Double
  /// How many values a pixel can have, 256 in 8-bit files; 0 for no grid.
  public var levels: Int

  /// An attack with the paper's settings; the paper that this project follows has 20 steps and 16 levels.
  public init(
    threat: ThreatModel, steps: Int = 100, gamma: Double = 0.05, initialNorm: Double = 1,
    levels: Int = 256
  ) {
    precondition(
      threat.norm == .l2 && steps >= 1 && levels >= 0 && levels != 1,
      "DDN in \(threat.norm) with \(steps) steps and \(levels) levels")
    self.threat = threat
    self.steps = steps
    self.gamma = gamma
    self.initialNorm = initialNorm
    self.levels = levels
  }

  /// `ddn-STEPS`.
  public var name: String { "ddn-\(steps)" }

  /// The norm, and the radius within which a sample counts as fooled.
  public var ball: ThreatModel? { threat }
  /// Yes.
  public var seeksSmallest: Bool { true }

  /// All settings by name.
  public var settings: [String: String] {
    [
      "steps": "\(steps)", "gamma": "\(gamma)", "init_norm": "\(initialNorm)",
      "levels": "\(levels)",
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
      let streams = rows.samples.map { streams[$0].keyed("direction") }
      // No image in the box is further away than its farthest corner.
      let farthest = ThreatModel.lengths(rows.images.maximum(1 - rows.images))
      var length = farthest.fullLike(initialNorm)
      var current = rows.images
      for step in 0..<steps {
        let point = search.point(at: current, of: rows) {
          AttackLoss.crossEntropy.values($0, rows.labels)
        }
        let errs = found.note(current, logits: point.logits, of: rows).reshape([-1, 1, 1, 1])
        let gradient = search.gradient(at: point, of: rows).contiguous()
        let change =
          current - rows.images
          + direction(of: gradient, streams.map { $0.keyed(step) })
          * MinimumNorm.cosine(from: 1, to: 0.01, at: step, of: steps)
        length = (length * (1 - gamma)).where(errs, else: length * (1 + gamma)).minimum(farthest)
        current = onGrid((rows.images + ThreatModel.unit(change) * length).clamp(min: 0, max: 1))
      }
      found.note(current, logits: search.logits(current, of: rows), of: rows)
    }
  }

  /// Gradients at length 1; a random direction where there is no gradient.
  private func direction(
    of gradient: Tensor, _ streams: @autoclosure () -> [RandomStream]
  ) -> Tensor {
    let direction = ThreatModel.unit(gradient)
    let isLost = (gradient.abs().amax(Array(1..<gradient.rank)) .== 0).bools()
    let lost = isLost.indices.filter { isLost[$0] }
    if lost.isEmpty { return direction }
    let all = streams()
    let noise = Tensor.normal(lost.map { all[$0] }, shape: Array(gradient.shape.dropFirst()))
    let places = Tensor(lost, shape: [lost.count]).to(gradient.device)
    return direction.indexCopy_(places, ThreatModel.unit(noise).to(gradient.device))
  }

  private func onGrid(_ images: Tensor) -> Tensor {
    levels == 0 ? images : (images * Double(levels - 1)).round() / Double(levels - 1)
  }
}

extension DDN {
  static let entry = AttackEntry(
    name: "ddn", number: "steps", summary: "decoupled direction and norm, small perturbations",
    source: "Rony et al., CVPR 2019", norms: [.l2]
  ) { threat, settings throws(AttackListError) in
    let levels = try settings.integer("levels", default: 256, minimum: 0, maximum: 65536)
    if levels == 1 { throw settings.problem("levels=1", "must be 0 for no grid, or at least 2") }
    return DDN(
      threat: threat, steps: try settings.integer("steps", default: 100),
      gamma: try settings.real("gamma", default: 0.05, in: 0...0.99, excludingLow: true),
      initialNorm: try settings.real("init_norm", default: 1, excludingLow: true), levels: levels)
  }
}
