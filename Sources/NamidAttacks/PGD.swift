import NamidNetworks
import NamidTorch

/// Projected gradient descent (Madry et al., ICLR 2018), in L∞ and L2.
public struct PGD: Attack, Hashable, Sendable {
  /// What the attacker may do.
  public var threat: ThreatModel
  /// Gradient steps per start.
  public var steps: Int
  /// The length of a step in the norm; a quarter of ε is the paper's.
  public var stepSize: Double
  /// Where each restart begins.
  public var start: Start
  /// How often the attack starts anew on the samples that it has not fooled.
  public var restarts: Int
  /// What it maximises when measuring.
  public var loss: AttackLoss

  /// An attack; the step is ε/4 unless given.
  public init(
    threat: ThreatModel, steps: Int, stepSize: Double? = nil, start: Start = .gaussian,
    restarts: Int = 1, loss: AttackLoss = .crossEntropy
  ) {
    precondition(steps >= 0 && restarts >= 1, "PGD with \(steps) steps and \(restarts) restarts")
    self.threat = threat
    self.steps = steps
    self.stepSize = stepSize ?? threat.epsilon.value / 4
    self.start = start
    self.restarts = restarts
    self.loss = loss
  }

  /// `pgd-STEPS`.
  public var name: String { "pgd-\(steps)" }

  /// What the attacker may do.
  public var ball: ThreatModel? { threat }

  /// All settings by name.
  public var settings: [String: String] {
    [
      "steps": "\(steps)", "step_size": "\(stepSize)", "start": start.rawValue,
      "restarts": "\(restarts)", "loss": loss.rawValue,
    ]
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
        var current = start.images(
          from: images, threat: threat, streams: streams.keyed("start").keyed(0))
        for _ in 0..<steps {
          let gradient = Point(classifier, at: current, loss: loss).gradient()
          current = advanced(from: current, along: gradient, around: images)
        }
        return current
      }
    }
  }

  // MARK: For measuring

  /// Attacks a batch; a sample leaves the work as soon as it is fooled, and restarts go to survivors only.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    Search.run(on: classifier, images: images, labels: labels, goal: goal) { search in
      if threat.epsilon.value == 0 { return }
      for restart in 0..<restarts {
        attack(search, streams.map { $0.keyed("start").keyed(restart) })
      }
    }
  }

  /// One start on all survivors.
  private func attack(_ search: Search, _ streams: [RandomStream]) {
    var rows = search.survivors
    if rows.isEmpty { return }
    var current = start.images(
      from: rows.images, threat: threat, streams: RandomStreams(rows.samples.map { streams[$0] }))
    for step in 0...steps {
      let point = search.point(at: current, of: rows) { loss.values($0, rows.labels) }
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
      threat.moved(current, along: gradient, by: stepSize), around: origin)
  }
}

extension PGD {
  static let entry = AttackEntry(
    name: "pgd", number: "steps", summary: "projected gradient descent, best iterate kept",
    source: "Madry et al., ICLR 2018"
  ) { threat, settings throws(AttackListError) in
    PGD(
      threat: threat, steps: try settings.integer("steps", default: 40),
      stepSize: try settings.real(
        "step_size", default: threat.epsilon.value / 4, in: 0...1e3, excludingLow: true),
      start: try settings.choice("start", default: .gaussian),
      restarts: try settings.integer("restarts", default: 1),
      loss: try settings.choice("loss", default: .crossEntropy))
  }
}
