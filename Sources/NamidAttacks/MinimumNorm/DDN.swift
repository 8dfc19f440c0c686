import NamidSettings
import NamidTorch

/// Decoupled direction and norm (Rony et al., CVPR 2019): small perturbations in L2.
///
/// The length of the perturbation shrinks by a factor whenever the iterate fools the network and grows by one
/// otherwise, while the gradient of the cross-entropy turns its direction. Iterates are rounded to a grid of levels
/// as image files have, and so is what is returned. The last step's image is evaluated too.
///
/// The whole budget is spent on each sample, whatever ε and the goal: one forward unattacked, `steps` + 1 more and
/// `steps` gradients, and one forward to confirm what was found.
public struct DDN: Attack, Hashable {
  /// The choices of the attack; the paper that this project follows has 20 steps and 16 levels.
  public struct Settings: AttackSettings {
    /// Gradient steps.
    public var steps = 100
    /// The share by which the length changes in a step.
    public var gamma = 0.05
    /// The length after the first step.
    public var initialNorm = 1.0
    /// The number of values that a pixel can have, 256 in 8-bit files; 0 for no grid.
    public var levels = 256

    /// The paper's choices.
    public init(in threat: ThreatModel) {}

    /// Refuses counts and sizes that cannot work.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      try require(steps, "steps")
      try require(gamma, "gamma", in: 0...0.99, excludingLow: true)
      try require(initialNorm, "initialNorm", in: 0...1e10, excludingLow: true)
      try require(levels, "levels", in: 0...65536)
      try require(levels != 1, "levels", "must be 0 for no grid, or at least 2")
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

  /// `ddn-STEPS`.
  public var name: String { "ddn-\(settings.steps)" }

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
    let (steps, gamma) = (settings.steps, settings.gamma)
    search.forSmallest(in: threat) { found in
      let rows = search.survivors
      let streams = rows.samples.map { search.streams[$0].keyed("direction") }
      // No image in the box is further away than its farthest corner.
      let farthest = ThreatModel.lengths(rows.images.maximum(1 - rows.images))
      var length = farthest.fullLike(settings.initialNorm)
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
    let levels = settings.levels
    return levels == 0 ? images : (images * Double(levels - 1)).round() / Double(levels - 1)
  }

  static let entry = AttackEntry(
    DDN.self, name: "ddn", number: "steps",
    summary: "decoupled direction and norm, small perturbations",
    source: "Rony et al., CVPR 2019", norms: [.l2], oldKeys: ["init_norm": "initialNorm"])
}
