import NamidSettings
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
public struct CarliniWagner: Attack, Hashable {
  /// The choices of the attack.
  public struct Settings: AttackSettings {
    /// The source of the usual choices.
    public var preset = Preset.standard
    /// Steps of Adam in each descent.
    public var iterations = 1000
    /// Values of c that are tried; with ten or more, the last is the smallest that has worked.
    public var searchSteps = 9
    /// Adam's rate.
    public var learningRate = 0.01
    /// The first c.
    public var initialConstant = 1e-3
    /// The lead over the label, in logits, that another class must reach.
    public var confidence = 0.0
    /// True to end a descent for a sample whose objective has not fallen in a tenth of the iterations.
    public var abortsEarly = true

    /// The choices of the attack's authors, but for 1,000 iterations as usual in place of 10,000.
    public init(in threat: ThreatModel) {}

    /// `preset`.
    public static let presetKey: String? = "preset"

    /// The usual choices of the preset.
    public func usual(in threat: ThreatModel) -> Self {
      var usual = Self(in: threat)
      usual.preset = preset
      if preset == .authors {
        (usual.iterations, usual.searchSteps) = (10, 4)
        (usual.initialConstant, usual.confidence) = (1, 1)
      }
      return usual
    }

    /// Refuses counts and sizes that cannot work.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      try require(iterations, "iterations")
      try require(searchSteps, "searchSteps", in: 1...1000)
      try require(learningRate, "learningRate", in: 0...1e10, excludingLow: true)
      try require(initialConstant, "initialConstant", in: 0...1e10, excludingLow: true)
      try require(confidence, "confidence", in: 0...1e10)
    }
  }

  /// The source of the usual choices.
  public enum Preset: String, CaseIterable, Codable, Sendable {
    /// The attack's authors.
    case standard
    /// The code of the paper that this project follows.
    case authors
  }

  /// The choices made.
  public var settings: Settings
  /// The norm to be made small, and the radius within which a sample counts as fooled.
  public var threat: ThreatModel

  /// An attack with these choices.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// `cw-ITERATIONS`.
  public var name: String { "cw-\(settings.iterations)" }

  /// True: the whole budget is spent on the smallest perturbation.
  public var seeksSmallest: Bool { true }
  /// False: a fooled sample may be fooled by less.
  public var stopsWhenFooled: Bool { false }

  /// For each value of c one forward an iteration and one gradient fewer; less where the objective stalls.
  public func budget(classCount: Int) -> Cost {
    let (steps, iterations) = (settings.searchSteps, settings.iterations)
    return Cost(forwards: 2 + steps * iterations, backwards: 1 + steps * (iterations - 1))
  }

  /// Looks for the smallest perturbation of every sample that is right unattacked; the goal makes no difference.
  public func attack(_ search: Search) {
    let settings = settings
    search.forSmallest(in: threat, confidence: settings.confidence) { found in
      let origin = CarliniWagnerDescent(search, found)
      var constants = CarliniWagnerConstants(
        count: origin.rows.count, initial: settings.initialConstant, device: search.images.device)
      for step in 0..<settings.searchSteps {
        // Original behaviour: a long search ends on a value that is known to work.
        if settings.searchSteps >= 10 && step == settings.searchSteps - 1 {
          constants.takeUpperBounds()
        }
        constants.narrow(descend(from: origin, with: constants.values, search, found))
      }
    }
  }

  /// One descent of all samples; returns a mask of those that have been fooled in its course.
  private func descend(
    from origin: CarliniWagnerDescent, with constants: Tensor, _ search: Search,
    _ found: MinimumNorm
  ) -> Tensor {
    let iterations = settings.iterations
    var descent = origin.started(with: constants)
    let succeeded = Tensor.zeros(constants.shape, dtype: .bool, device: constants.device)
    for iteration in 1...iterations {
      descent.advance(iteration, rate: settings.learningRate)
      if iteration == iterations {
        let logits = search.logits(descent.images, of: descent.rows)
        descent.mark(found.note(descent.images, logits: logits, of: descent.rows), in: succeeded)
        break
      }
      let point = search.point(at: descent.images, of: descent.rows) { descent.hinge($0) }
      let counts = found.note(descent.images, logits: point.logits, of: descent.rows)
      descent.mark(counts, in: succeeded)
      let checks = settings.abortsEarly && iteration % max(1, iterations / 10) == 0
      let kept = checks ? descent.dropStalled(hinge: point.values) : nil
      if descent.rows.isEmpty { break }
      let gradient = search.gradient(at: point, of: descent.rows).contiguous()
      descent.gradient = kept?.of(gradient) ?? gradient
    }
    return succeeded
  }

  static let entry = AttackEntry(
    CarliniWagner.self, name: "cw", number: "iterations",
    summary: "Carlini and Wagner's small perturbations", source: "Carlini and Wagner, S&P 2017",
    norms: [.l2],
    oldKeys: ["lr": "learningRate", "c": "initialConstant", "abort_early": "abortsEarly"])
}
