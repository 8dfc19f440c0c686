import Foundation
import NamidSettings
import NamidTorch

/// Momentum, translation-invariant smoothing and input diversity together: the attack TI-DIM.
///
/// Each step takes the gradient at a randomly changed image (Xie et al., CVPR 2019), smooths it (Dong et al., CVPR
/// 2019), divides it by its mean size, adds it to a momentum and moves along that (Dong et al., CVPR 2018): for L∞
/// by its signs, for L2 in its direction. It begins at the image itself.
///
/// Made for transfer to another network: with the goal `.strongest` the last image is given back, as in the papers.
/// With the goal `.fool` the network judges each image as it is, not as changed, and a sample is done when fooled.
public struct TIDIM: Attack, Hashable {
  /// The choices of the attack.
  public struct Settings: AttackSettings {
    /// The form of the attack.
    public var variant = Variant.canonical
    /// Gradient steps.
    public var steps = 40
    /// The length of a step in the norm; ε/10 is usual, 0.007 for `authors`.
    public var stepSize: Double
    /// The share of the momentum that a step keeps; 1 is usual, 0.1 for `authors`.
    public var decay = 1.0
    /// The side of the smoothing kernel, odd; 1 for no smoothing.
    public var kernel = 15
    /// The share of samples that are changed at random at a step; 0.5 is usual, 0 for `authors`.
    public var probability = 0.5
    /// The smallest size of changed images, in shares of their own.
    public var low = 0.875
    /// The size of the frame that they are put in, in shares of their own.
    public var high = 1.0

    /// The usual choices of the canonical form.
    public init(in threat: ThreatModel) { stepSize = threat.epsilon.value / 10 }

    /// `variant`.
    public static let presetKey: String? = "variant"

    /// The usual choices of the variant.
    public func usual(in threat: ThreatModel) -> Self {
      var usual = Self(in: threat)
      usual.variant = variant
      if variant == .authors {
        (usual.stepSize, usual.decay, usual.probability) = (0.007, 0.1, 0)
      }
      return usual
    }

    /// Refuses counts and sizes that cannot work, and the authors' form outside L∞.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      try require(
        variant == .canonical || threat.norm == .linf, "variant",
        "is for linf, not for \(threat.norm.rawValue)")
      try require(steps, "steps", in: 0...1_000_000)
      try require(
        stepSize, "stepSize", in: 0...1e3, excludingLow: threat.epsilon.value > 0 && steps > 0)
      try require(decay, "decay", in: 0...1e3)
      try require(kernel, "kernel", in: 1...255)
      try require(!kernel.isMultiple(of: 2), "kernel", "must be odd")
      try require(probability, "probability", in: 0...1)
      try require(low, "low", in: 0...4, excludingLow: true)
      try require(high, "high", in: 0...4)
      try require(low <= high, "low", "must not be above high=\(high.settingText)")
    }
  }

  /// The form of the attack.
  public enum Variant: String, CaseIterable, Codable, Sendable {
    /// The attack of the papers that define it.
    case canonical
    /// The attack as the authors of NAMID have run it, in L∞: little momentum, no diversity, fixed steps, and
    /// perturbations that are clipped to [0, 1] for the network only, so that a value may wander outside, where its
    /// gradient is 0.
    case authors
  }

  /// The choices made.
  public var settings: Settings
  /// The ball.
  public var threat: ThreatModel

  /// An attack with these choices.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// `ti-dim-STEPS`.
  public var name: String { "ti-dim-\(settings.steps)" }

  /// One gradient a step and one forward for the last image; up to one more a step where images are changed at random.
  public func budget(classCount: Int) -> Cost {
    if threat.epsilon.value == 0 { return Cost(forwards: 1) }
    let judged = settings.probability > 0 ? max(settings.steps - 1, 0) : 0
    return Cost(forwards: 2 + settings.steps + judged, backwards: settings.steps)
  }

  /// Takes all steps from the images themselves.
  public func attack(_ search: Search) {
    if threat.epsilon.value > 0 { attack(search, search.streams.map { $0.keyed("diversity") }) }
  }

  private func attack(_ search: Search, _ streams: [RandomStream]) {
    var rows = search.survivors
    if rows.isEmpty { return }
    let steps = settings.steps
    let diversity = InputDiversity(
      probability: settings.probability, low: settings.low, high: settings.high)
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
      side: settings.kernel, height: height, width: width, device: position.device)
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
    let wrong = misclassified(logits, rows.labels)
    search.take(current, wrong: wrong, losses: losses(logits, rows), of: rows, counted: counted)
    return search.settle((counted.map { wrong .& $0 } ?? wrong).bools(), of: rows)
  }

  // MARK: Moving

  /// The momentum with a gradient added that is divided by its mean size.
  private func accumulated(_ momentum: Tensor, adding gradient: Tensor) -> Tensor {
    // A gradient of zero stays zero.
    let size = gradient.abs().mean([1, 2, 3], keepdim: true).clamp(min: 1e-30)
    return momentum * settings.decay + gradient / size
  }

  /// Sets gradient values that clipping holds back to 0 in the authors' variant.
  private func inside(_ gradient: Tensor, at position: Tensor) -> Tensor {
    if settings.variant == .canonical { return gradient }
    return gradient.maskedFill((position .< 0) .| (position .> 1), 0)
  }

  private func advanced(from position: Tensor, along momentum: Tensor, around origin: Tensor)
    -> Tensor
  {
    let moved = position + threat.steepestAscent(momentum) * settings.stepSize
    if settings.variant == .canonical { return threat.project(moved, around: origin) }
    let epsilon = threat.epsilon.value
    return origin + (moved - origin).clamp(min: -epsilon, max: epsilon)
  }

  static let entry = AttackEntry(
    TIDIM.self, name: "ti-dim", number: "steps",
    summary: "momentum, smoothed gradients and input diversity, made for transfer",
    source: "Dong et al., CVPR 2018 and 2019; Xie et al., CVPR 2019")
}

/// Smoothing of gradients by a Gaussian kernel (Dong et al., CVPR 2019).
///
/// The gradient of an image, averaged over translated copies of it, is about the gradient convolved with a kernel.
struct GradientSmoothing {
  /// The kernel's side, odd; 1 for no smoothing.
  let side: Int
  /// The matrices that multiply an image from the left and from the right; nil for no smoothing.
  private let bands: (rows: Tensor, columns: Tensor)?

  /// Smoothing of images of H × W pixels on a device.
  init(side: Int, height: Int, width: Int, device: Device) {
    self.side = side
    if side == 1 {
      bands = nil
      return
    }
    let rows = Self.band(height, side: side).to(device)
    bands = (rows, height == width ? rows : Self.band(width, side: side).to(device))
  }

  /// The kernel along one direction, summing to 1: the normal density at equally spaced points from −3 to 3.
  ///
  /// The kernel of an image is the product of one along each direction.
  static func weights(_ side: Int) -> [Double] {
    if side == 1 { return [1] }
    let densities = (0..<side).map { place in
      let point = 3 * Double(2 * place - (side - 1)) / Double(side - 1)
      return exp(-point * point / 2)
    }
    let sum = densities.reduce(0, +)
    return densities.map { $0 / sum }
  }

  /// Each channel of (N, C, H, W) convolved with the kernel; beyond the edges there are zeros.
  ///
  /// Done as a product with a band matrix on either side: convolutions with one channel per group are slow.
  func smooth(_ gradient: Tensor) -> Tensor {
    bands.map { $0.rows.matmul(gradient).matmul($0.columns) } ?? gradient
  }

  /// The symmetric matrix whose product with a column of pixels is the convolution of that column.
  private static func band(_ length: Int, side: Int) -> Tensor {
    let (weights, reach) = (weights(side), side / 2)
    let values = (0..<length).flatMap { row in
      (0..<length).map { column in
        abs(row - column) <= reach ? Float(weights[row - column + reach]) : 0
      }
    }
    return Tensor(values, shape: [length, length])
  }
}
