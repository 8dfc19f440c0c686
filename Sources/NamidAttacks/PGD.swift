import NamidNetworks
import NamidSettings
import NamidTorch

/// Projected gradient descent (Madry et al., ICLR 2018), in L∞ and L2.
public struct PGD: Attack, Hashable {
  /// The choices of the attack.
  public struct Settings: AttackSettings {
    /// Gradient steps per start.
    public var steps = 40
    /// The length of a step in the norm; a quarter of ε is the paper's.
    public var stepSize: Double
    /// The place where each restart begins.
    public var start = Start.gaussian
    /// Starts on the samples that are not fooled yet.
    public var restarts = 1
    /// The loss that is maximised when measuring.
    public var loss = AttackLoss.crossEntropy

    /// The paper's choices.
    public init(in threat: ThreatModel) { stepSize = threat.epsilon.value / 4 }

    /// Refuses counts and lengths that cannot work.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      try require(steps, "steps", in: 0...1_000_000)
      try require(restarts, "restarts")
      try require(
        stepSize, "stepSize", in: 0...1e3, excludingLow: threat.epsilon.value > 0 && steps > 0)
    }
  }

  /// The choices made.
  public var settings: Settings
  /// The ball.
  public var threat: ThreatModel

  /// An attack with these choices.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// `pgd-STEPS`.
  public var name: String { "pgd-\(settings.steps)" }

  /// One gradient a step, and one forward more a start for its last image.
  public func budget(classCount: Int) -> Cost {
    let (steps, starts) = (settings.steps, threat.epsilon.value == 0 ? 0 : settings.restarts)
    return Cost(forwards: 1 + starts * (steps + 1), backwards: starts * steps)
  }

  // MARK: For training

  /// The last iterate, for training on: every sample takes every step, and nothing waits for the device.
  ///
  /// - Parameters:
  ///   - classifier: The network.
  ///   - images: Float32 (N, C, H, W) in [0, 1].
  ///   - labels: Classes (N), int64.
  ///   - streams: One random stream per sample.
  ///   - loss: One value per sample from logits (N, K), to be maximised; cross-entropy of the labels when nil.
  /// - Returns: Attacked images.
  public func craft(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: RandomStreams,
    loss: ((Tensor) -> Tensor)? = nil
  ) -> Tensor {
    let loss = loss ?? { AttackLoss.crossEntropy.values($0, labels) }
    return classifier.frozen {
      withoutGrad {
        var current = settings.start.images(
          from: images, threat: threat, streams: streams.keyed("start").keyed(0))
        for _ in 0..<settings.steps {
          let gradient = Point(classifier, at: current, loss: loss).gradient()
          current = advanced(from: current, along: gradient, around: images)
        }
        return current
      }
    }
  }

  // MARK: For measuring

  /// Climbs from each start; a sample leaves the work as soon as it is fooled, and restarts go to survivors only.
  public func attack(_ search: Search) {
    if threat.epsilon.value == 0 { return }
    for restart in 0..<settings.restarts {
      attack(search, search.streams.map { $0.keyed("start").keyed(restart) })
    }
  }

  /// One start on all survivors.
  private func attack(_ search: Search, _ streams: [RandomStream]) {
    var rows = search.survivors
    if rows.isEmpty { return }
    let steps = settings.steps
    var current = settings.start.images(
      from: rows.images, threat: threat, streams: RandomStreams(rows.samples.map { streams[$0] }))
    for step in 0...steps {
      let point = search.point(at: current, of: rows) { settings.loss.values($0, rows.labels) }
      let kept = search.note(current, logits: point.logits, losses: point.values, of: rows)
      if step == steps || kept.isEmpty { return }
      // The gradient of all rows costs no more than taking the graph apart; only those that stay are charged.
      rows = rows.keeping(kept)
      let gradient = kept.of(search.gradient(at: point, of: rows))
      current = advanced(from: kept.of(current), along: gradient, around: rows.images)
    }
  }

  private func advanced(from current: Tensor, along gradient: Tensor, around origin: Tensor)
    -> Tensor
  {
    threat.project(
      threat.moved(current, along: gradient, by: settings.stepSize), around: origin)
  }

  static let entry = AttackEntry(
    PGD.self, name: "pgd", number: "steps",
    summary: "projected gradient descent, best iterate kept", source: "Madry et al., ICLR 2018")
}
