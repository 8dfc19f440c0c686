import NeuralNetworks
import Records
import Torch

/// Projected gradient descent on the cross-entropy (Madry et al., ICLR 2018), in L∞ and L2.
public struct PGD: Attack, Codable, Hashable, Sendable {
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

  /// An attack; the step is ε/4 unless given.
  public init(
    threat: ThreatModel, steps: Int, stepSize: Double? = nil, start: Start = .gaussian,
    restarts: Int = 1
  ) {
    precondition(steps >= 0 && restarts >= 1, "PGD with \(steps) steps and \(restarts) restarts")
    self.threat = threat
    self.steps = steps
    self.stepSize = stepSize ?? threat.epsilon.value / 4
    self.start = start
    self.restarts = restarts
  }

  /// `pgd-STEPS`.
  public var name: String { "pgd-\(steps)" }

  /// All settings by name.
  public var settings: [String: String] {
    [
      "steps": "\(steps)", "step_size": "\(stepSize)", "start": start.rawValue,
      "restarts": "\(restarts)", "loss": "cross-entropy",
    ]
  }

  // MARK: For training

  /// The last iterate, for training on: every sample takes every step, and nothing waits for the device.
  ///
  public func craft(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream]
  ) -> Tensor {
    classifier.frozen {
      withoutGrad {
        var current = start.images(
          from: images, threat: threat, streams: streams.map { $0.keyed("start").keyed(0) })
        for _ in 0..<steps {
          let gradient = Self.gradient(of: classifier, at: current, labels: labels).gradient()
          current = advanced(from: current, along: gradient, around: images)
        }
        return current
      }
    }
  }

  // MARK: For measuring

  /// Attacks a batch; a sample leaves the work as soon as it is fooled, and restarts go to survivors only.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream]
  ) -> AttackResult {
    classifier.evaluating {
      withoutGrad {
        let wrong = misclassified(classifier.logits(images), labels)
        var state = Progress(images: images, labels: labels, wrong: wrong.bools())
        if threat.epsilon.value > 0 {
          for restart in 0..<restarts where !state.survivors.isEmpty {
            attack(
              classifier, &state, streams.map { $0.keyed("start").keyed(restart) })
          }
        }
        return state.result
      }
    }
  }

  /// One start on all survivors.
  private func attack(
    _ classifier: any Classifier, _ state: inout Progress, _ streams: [RandomStream]
  ) {
    var active = state.survivors
    var rows = state.rows(of: active)
    var current = start.images(
      from: rows.images, threat: threat, streams: active.map { streams[$0] })
    for step in 0...steps {
      let point = Self.gradient(of: classifier, at: current, labels: rows.labels)
      let wrong = state.note(current, point, active: active)
      if step == steps { break }
      let kept = wrong.indices.filter { !wrong[$0] }
      if kept.isEmpty { return }
      var gradient = point.gradient()
      if kept.count < active.count {
        let indices = Tensor(kept, shape: [kept.count]).to(current.device)
        active = kept.map { active[$0] }
        rows = state.rows(of: active)
        current = current.indexSelect(indices)
        gradient = gradient.indexSelect(indices)
      }
      state.countBackward(active)
      current = advanced(from: current, along: gradient, around: rows.images)
    }
  }

  // MARK: Steps

  private func advanced(from current: Tensor, along gradient: Tensor, around origin: Tensor)
    -> Tensor
  {
    threat.project(current + threat.steepestAscent(gradient) * stepSize, around: origin)
  }

  /// A forward pass whose gradient with respect to the images can be had afterwards.
  ///
  /// Losses are summed, not averaged: a mean over a large batch would push gradients towards underflow.
  static func gradient(
    of classifier: any Classifier, at images: Tensor, labels: Tensor
  ) -> Point {
    withGrad {
      let input = images.detach()
      input.requiresGrad = true
      let logits = classifier.logits(input)
      return Point(
        input: input, logits: logits.detach(),
        losses: logits.crossEntropy(labels, reduction: .none))
    }
  }

  /// The network at some images.
  struct Point {
    let input: Tensor
    let logits: Tensor
    let losses: Tensor

    func gradient() -> Tensor {
      let gradient = withGrad { grad(of: losses.sum(), wrt: input) }
      return gradient.maskedFill(gradient.isfinite().logicalNot(), 0)
    }
  }
}
