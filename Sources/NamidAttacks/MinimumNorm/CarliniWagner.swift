import NamidNetworks
import NamidTorch

/// The L2 attack of Carlini and Wagner (S&P 2017).
///
/// Minimises ‖x' − x‖² + c·max(0, z_y − max_{i≠y} z_i + κ) by Adam over w with x' = (tanh w + 1)/2, anew for each of
/// several c, which a binary search per sample brings to where the image is just fooled. κ is the confidence plus the
/// margin that `MinimumNorm` asks of a finding. Everything is a sample's own: Adam's moments, c and its bounds, and the
/// test that ends a descent when the objective stalls.
///
/// The whole budget is spent, whatever ε and the goal: two forwards and one gradient at the image itself, which all
/// descents share, then for each of `searchSteps` at most `iterations` forwards and one gradient fewer, and one
/// forward to confirm what was found.
public struct CarliniWagner: Attack, Hashable, Sendable {
  /// The norm, L2, and the radius within which a sample counts as fooled.
  public var threat: ThreatModel
  /// Steps of Adam in each descent.
  public var iterations: Int
  /// How many values of c are tried; with ten or more, the last is the smallest that has worked.
  public var searchSteps: Int
  /// Adam's rate.
  public var learningRate: Double
  /// The first c.
  public var initialConstant: Double
  /// The lead over the label, in logits, that another class must reach.
  public var confidence: Double
  /// Whether a descent ends for a sample whose objective has not fallen in a tenth of the iterations.
  public var abortsEarly: Bool

  /// An attack; the settings are its authors', but for 1,000 iterations as usual in place of 10,000.
  public init(
    threat: ThreatModel, iterations: Int = 1000, searchSteps: Int = 9,
    learningRate: Double = 0.01, initialConstant: Double = 1e-3, confidence: Double = 0,
    abortsEarly: Bool = true
  ) {
    precondition(
      threat.norm == .l2 && iterations >= 1 && searchSteps >= 1,
      "Carlini-Wagner in \(threat.norm) with \(iterations) iterations, \(searchSteps) search steps")
    self.threat = threat
    self.iterations = iterations
    self.searchSteps = searchSteps
    self.learningRate = learningRate
    self.initialConstant = initialConstant
    self.confidence = confidence
    self.abortsEarly = abortsEarly
  }

  /// `cw-ITERATIONS`.
  public var name: String { "cw-\(iterations)" }

  /// The norm, and the radius within which a sample counts as fooled.
  public var ball: ThreatModel? { threat }
  /// Yes.
  public var seeksSmallest: Bool { true }

  /// All settings by name.
  public var settings: [String: String] {
    [
      "iterations": "\(iterations)", "search_steps": "\(searchSteps)", "lr": "\(learningRate)",
      "c": "\(initialConstant)", "confidence": "\(confidence)", "abort_early": "\(abortsEarly)",
    ]
  }

  /// Looks for the smallest perturbation of every sample that is right unattacked; the goal makes no difference.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    Search.minimumNorm(
      on: classifier, images: images, labels: labels, threat: threat, confidence: confidence
    ) { search, found in
      let origin = CarliniWagnerDescent(search, found)
      var constants = CarliniWagnerConstants(
        count: origin.rows.count, initial: initialConstant, device: images.device)
      for step in 0..<searchSteps {
        // Original behaviour: a long search ends on a value that is known to work.
        if searchSteps >= 10 && step == searchSteps - 1 { constants.takeUpperBounds() }
        constants.narrow(descend(from: origin, with: constants.values, search, found))
      }
    }
  }

  /// One descent of all samples; returns which of them have been fooled in its course.
  private func descend(
    from origin: CarliniWagnerDescent, with constants: Tensor, _ search: Search,
    _ found: MinimumNorm
  ) -> Tensor {
    var descent = origin.started(with: constants)
    let succeeded = Tensor.zeros(constants.shape, dtype: .bool, device: constants.device)
    for iteration in 1...iterations {
      descent.advance(iteration, rate: learningRate)
      if iteration == iterations {
        let logits = search.logits(descent.images, of: descent.rows)
        descent.mark(found.note(descent.images, logits: logits, of: descent.rows), in: succeeded)
        break
      }
      let point = search.point(at: descent.images, of: descent.rows) { descent.hinge($0) }
      let counts = found.note(descent.images, logits: point.logits, of: descent.rows)
      descent.mark(counts, in: succeeded)
      let checks = abortsEarly && iteration % max(1, iterations / 10) == 0
      let kept = checks ? descent.dropStalled(hinge: point.values) : nil
      if descent.rows.isEmpty { break }
      let gradient = search.gradient(at: point, of: descent.rows).contiguous()
      descent.gradient = kept?.of(gradient) ?? gradient
    }
    return succeeded
  }
}

extension CarliniWagner {
  /// Whose settings are the default.
  enum Preset: String, CaseIterable {
    /// The attack's authors'.
    case standard
    /// Those in the code of the paper that this project follows.
    case authors
  }

  static let entry = AttackEntry(
    name: "cw", number: "iterations", summary: "Carlini and Wagner's small perturbations",
    source: "Carlini and Wagner, S&P 2017", norms: [.l2]
  ) { threat, settings throws(AttackListError) in
    let preset: Preset = try settings.choice("preset", default: .standard)
    let base =
      preset == .standard
      ? CarliniWagner(threat: threat)
      : CarliniWagner(
        threat: threat, iterations: 10, searchSteps: 4, initialConstant: 1, confidence: 1)
    return CarliniWagner(
      threat: threat, iterations: try settings.integer("iterations", default: base.iterations),
      searchSteps: try settings.integer("search_steps", default: base.searchSteps, maximum: 1000),
      learningRate: try settings.real("lr", default: base.learningRate, excludingLow: true),
      initialConstant: try settings.real("c", default: base.initialConstant, excludingLow: true),
      confidence: try settings.real("confidence", default: base.confidence),
      abortsEarly: try settings.flag("abort_early", default: base.abortsEarly))
  }
}
