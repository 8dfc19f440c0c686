import NamidNetworks
import NamidTorch

/// Momentum, translation-invariant smoothing and input diversity together: the attack TI-DIM.
///
/// Each step takes the gradient at a randomly changed image (Xie et al., CVPR 2019), smooths it (Dong et al., CVPR
/// 2019), divides it by its mean size, adds it to a momentum and moves along that (Dong et al., CVPR 2018): for L∞
/// by its signs, for L2 in its direction. It begins at the image itself.
///
/// Made for transfer to another network: with the goal `.strongest` the last image is given back, as in the papers.
/// With the goal `.fool` the network judges each image as it is, not as changed, and a sample is done when fooled.
public struct TIDIM: Attack, Hashable, Sendable {
  /// Which form of the attack.
  public enum Variant: String, CaseIterable, Codable, Sendable {
    /// As in the papers that define it.
    case canonical
    /// As the authors of NAMID have run it, in L∞: little momentum, no diversity, fixed steps, and perturbations that
    /// are clipped to [0, 1] for the network only, so that a value may wander outside, where its gradient is 0.
    case authors
  }

  /// What the attacker may do.
  public var threat: ThreatModel
  /// Gradient steps.
  public var steps: Int
  /// Which form of the attack.
  public var variant: Variant
  /// The length of a step in the norm.
  public var stepSize: Double
  /// The share of the momentum that a step keeps.
  public var decay: Double
  /// The side of the smoothing kernel, odd; 1 for no smoothing.
  public var kernel: Int
  /// How images are changed at random.
  public var diversity: InputDiversity

  /// An attack; what is not given is as usual in the variant.
  ///
  /// - Parameters:
  ///   - threat: What the attacker may do.
  ///   - steps: Gradient steps.
  ///   - variant: Which form of the attack; `authors` is for L∞.
  ///   - stepSize: ε/10 unless given, 0.007 for `authors`.
  ///   - decay: 1 unless given, 0.1 for `authors`.
  ///   - kernel: The side of the smoothing kernel.
  ///   - diversity: How images are changed; not at all for `authors` unless given.
  public init(
    threat: ThreatModel, steps: Int = 40, variant: Variant = .canonical, stepSize: Double? = nil,
    decay: Double? = nil, kernel: Int = 15, diversity: InputDiversity? = nil
  ) {
    precondition(steps >= 0 && kernel % 2 == 1, "TI-DIM with \(steps) steps and kernel \(kernel)")
    precondition(variant == .canonical || threat.norm == .linf, "the authors' TI-DIM is for linf")
    self.threat = threat
    self.steps = steps
    self.variant = variant
    self.stepSize = stepSize ?? (variant == .authors ? 0.007 : threat.epsilon.value / 10)
    self.decay = decay ?? (variant == .authors ? 0.1 : 1)
    self.kernel = kernel
    self.diversity = diversity ?? (variant == .authors ? .off : InputDiversity())
  }

  /// `ti-dim-STEPS`.
  public var name: String { "ti-dim-\(steps)" }

  /// What the attacker may do.
  public var ball: ThreatModel? { threat }

  /// All settings by name.
  public var settings: [String: String] {
    [
      "steps": "\(steps)", "variant": variant.rawValue, "step_size": "\(stepSize)",
      "decay": "\(decay)", "kernel": "\(kernel)", "probability": "\(diversity.probability)",
      "low": "\(diversity.low)", "high": "\(diversity.high)",
    ]
  }

  /// Attacks a batch.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    Search.run(on: classifier, images: images, labels: labels, goal: goal) { search in
      if threat.epsilon.value > 0 { attack(search, streams.map { $0.keyed("diversity") }) }
    }
  }

  private func attack(_ search: Search, _ streams: [RandomStream]) {
    var rows = search.survivors
    if rows.isEmpty { return }
    let (height, width) = (rows.images.size(2), rows.images.size(3))
    var position = rows.images
    var momentum = position.zerosLike()
    let placements = (0..<steps).map { step in
      streams.map {
        diversity.placement(height: height, width: width, stream: $0.keyed(step))
      }
    }
    let views = DiverseViews(placements, height: height, width: width, device: position.device)
    let smoothing = GradientSmoothing(
      side: kernel, height: height, width: width, device: position.device)
    for step in 0..<steps {
      let current = position.clamp(min: 0, max: 1)
      let judged = judge(search, current, rows, step: step, views.view(of: rows, at: step))
      if judged.isEmpty { return }
      rows = rows.keeping(judged)
      position = judged.of(position)
      momentum = judged.of(momentum)
      let view = views.view(of: rows, at: step)
      let evaluated = judged.of(current)
      let point = search.point(at: view.images(evaluated), of: rows) { losses($0, rows) }
      var kept = Kept.all(rows.count)
      if search.goal == .fool, view.isChanged.contains(false) {
        kept = note(
          search, evaluated, point.logits, rows, counted: view.changed.map { $0.logicalNot() })
        if kept.isEmpty { return }
      }
      rows = rows.keeping(kept)
      position = kept.of(position)
      let gradient = kept.of(view.pulledBack(search.gradient(at: point, of: rows)))
      momentum = accumulated(
        kept.of(momentum), adding: smoothing.smooth(inside(gradient, at: position)))
      position = advanced(from: position, along: momentum, around: rows.images)
    }
    let final = position.clamp(min: 0, max: 1)
    let logits = search.logits(final, of: rows)
    search.note(final, logits: logits, losses: losses(logits, rows), of: rows)
  }

  // MARK: Judging

  private func losses(_ logits: Tensor, _ rows: Rows) -> Tensor {
    AttackLoss.crossEntropy.values(logits, rows.labels)
  }

  /// Has those images judged that the network is about to see changed; returns the rows that stay.
  ///
  /// The others are judged by the evaluation that their gradient needs anyway, and the first image of each sample
  /// has been judged already.
  private func judge(
    _ search: Search, _ current: Tensor, _ rows: Rows, step: Int, _ view: DiverseView
  ) -> Kept {
    guard search.goal == .fool, let changed = view.changed else { return .all(rows.count) }
    if step == 0 {
      let logits = search.cleanLogits.indexSelect(rows.places)
      return note(search, current, logits, rows, counted: changed)
    }
    let part = Kept(view.isChanged, chosen: changed)
    let (some, images) = (rows.keeping(part), part.of(current))
    let logits = search.logits(images, of: some)
    let wrong = misclassified(logits, some.labels)
    search.take(images, wrong: wrong, losses: losses(logits, some), of: some)
    return search.settle(part.spread(wrong, over: rows.count).bools(), of: rows)
  }

  /// Records those images of all rows that count; returns the rows that stay.
  private func note(
    _ search: Search, _ current: Tensor, _ logits: Tensor, _ rows: Rows, counted: Tensor?
  ) -> Kept {
    guard let counted else {
      return search.note(current, logits: logits, losses: losses(logits, rows), of: rows)
    }
    let wrong = misclassified(logits, rows.labels)
    search.take(current, wrong: wrong, losses: losses(logits, rows), of: rows, counted: counted)
    return search.settle((wrong .& counted).bools(), of: rows)
  }

  // MARK: Moving

  /// The momentum with a gradient added that is divided by its mean size.
  private func accumulated(_ momentum: Tensor, adding gradient: Tensor) -> Tensor {
    // A gradient of zero stays zero.
    let size = gradient.abs().mean([1, 2, 3], keepdim: true).clamp(min: 1e-30)
    return momentum * decay + gradient / size
  }

  /// For the authors' variant the gradient without the values that clipping holds back.
  private func inside(_ gradient: Tensor, at position: Tensor) -> Tensor {
    if variant == .canonical { return gradient }
    return gradient.maskedFill((position .< 0) .| (position .> 1), 0)
  }

  private func advanced(from position: Tensor, along momentum: Tensor, around origin: Tensor)
    -> Tensor
  {
    let moved = position + threat.steepestAscent(momentum) * stepSize
    if variant == .canonical { return threat.project(moved, around: origin) }
    let epsilon = threat.epsilon.value
    return origin + (moved - origin).clamp(min: -epsilon, max: epsilon)
  }
}

extension TIDIM {
  static let entry = AttackEntry(
    name: "ti-dim", number: "steps",
    summary: "momentum, smoothed gradients and input diversity, made for transfer",
    source: "Dong et al., CVPR 2018 and 2019; Xie et al., CVPR 2019"
  ) { threat, settings throws(AttackListError) in
    let variant = try settings.choice("variant", default: Variant.canonical)
    if variant == .authors && threat.norm != .linf {
      throw settings.problem("variant=authors", "is for linf, not for \(threat.norm.rawValue)")
    }
    let usual = TIDIM(threat: threat, variant: variant)
    let kernel = try settings.integer("kernel", default: usual.kernel, maximum: 255)
    if kernel.isMultiple(of: 2) { throw settings.problem("kernel=\(kernel)", "must be odd") }
    let low = try settings.real("low", default: usual.diversity.low, in: 0...4, excludingLow: true)
    let high = try settings.real("high", default: usual.diversity.high, in: 0...4)
    if low > high { throw settings.problem("low=\(low)", "must not be above high=\(high)") }
    return TIDIM(
      threat: threat, steps: try settings.integer("steps", default: usual.steps),
      variant: variant,
      stepSize: try settings.real(
        "step_size", default: usual.stepSize, in: 0...1e3, excludingLow: true),
      decay: try settings.real("decay", default: usual.decay, in: 0...1e3), kernel: kernel,
      diversity: InputDiversity(
        probability: try settings.real(
          "probability", default: usual.diversity.probability, in: 0...1),
        low: low, high: high))
  }
}
