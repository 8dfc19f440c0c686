import NamidSettings
import NamidTorch

/// The rule that keeps a term from outweighing the loss that it is added to.
public enum Balance: String, CaseIterable, Codable, Sendable {
  /// No rule: the term has the weight that it was given.
  case none
  /// A bound for a batch: the term's gradient is at most `balanceRatio` times as long as the loss's.
  case cap
  /// A bound for each sample: the term's gradient on its logits is at most `balanceRatio` times the root mean square of
  /// the loss's over the batch. Where few samples take part, the term weighs less than under `cap`.
  case clip
}

/// The variables by which the gradients of a loss and of a term are compared.
public enum BalancePlace: String, CaseIterable, Codable, Sendable {
  /// The logits of all passes: no further pass through the network.
  case logits
  /// The network's weights: one more walk back through the network.
  case weights
}

/// Settings of a defense that adds a term to a loss.
public protocol BalancedSettings: DefenseSettings {
  /// The rule that keeps the term from outweighing the loss.
  var balance: Balance { get }
  /// The bound c of the rule: a length relative to that of the loss's gradient.
  var balanceRatio: Double { get }
  /// The variables by which gradients are compared.
  var balanceOn: BalancePlace { get }
  /// The precision of the estimators' scores.
  var scorePrecision: Precision { get }
}

extension BalancedSettings {
  /// Refuses a bound that is not positive, and a rule for samples on weights, which samples share.
  func validateBalance() throws {
    try require(balanceRatio > 0, "balanceRatio", "must be positive")
    try require(
      balance != .clip || balanceOn == .logits, "balanceOn", "must be logits with balance clip")
  }
}

/// A loss and a term, as functions of a network's logits, before they are added.
struct BalancedSum {
  /// The rule and its bound.
  let settings: any BalancedSettings
  /// Logits (N, classes) of the network's passes.
  let logits: [Tensor]
  /// The number of passes, from the first, that the loss reads; the term reads all.
  let readByLoss: Int
  /// The variables to compute loss and term from: the logits themselves, or copies without a history where a rule
  /// changes the gradient on them.
  let inputs: [Tensor]

  init(_ settings: any BalancedSettings, logits: [Tensor], readByLoss: Int) {
    self.settings = settings
    self.logits = logits
    self.readByLoss = readByLoss
    inputs = settings.balance == .none ? logits : logits.map { $0.leaf() }
  }

  /// The loss plus the weighted term, with the gradient that the rule allows.
  ///
  /// - Parameters:
  ///   - loss: The loss, computed from `inputs`.
  ///   - term: The term, computed from `inputs`.
  ///   - weight: The term's weight.
  ///   - weights: The network's weights.
  ///   - learns: True where the term has weights of its own that learn; their gradient is not changed.
  /// - Returns: The sum, and all parts. Where both have a gradient: `ratio`, the length of the weighted term's
  ///   gradient relative to the loss's, `ratio_balanced`, the same after the rule, and `alignment`, the cosine of
  ///   the angle between the two.
  func total(
    _ loss: DefenseLoss, _ term: DefenseLoss, weight: Double, weights: [Tensor],
    learns: Bool = false
  ) -> DefenseLoss {
    let terms = loss.terms + term.terms + [("top_class", Self.largestShare(of: logits))]
    let weighted = weight * term.total
    guard settings.balance != .none else {
      let total = loss.total + weighted
      guard loss.total.requiresGrad, weighted.requiresGrad else {
        return DefenseLoss(total: total, terms: terms)
      }
      let gradients = gradients(loss.total, weighted, retainGraph: true)
      let comparison = Comparison(gradients.loss, gradients.term)
      return DefenseLoss(total: total, terms: terms + comparison.terms(after: comparison.ratio))
    }
    guard loss.total.requiresGrad else {
      return DefenseLoss(total: loss.total + weighted, terms: terms)
    }
    guard weighted.requiresGrad else {
      let gradients = gradients(loss.total, nil, retainGraph: false)
      return DefenseLoss(
        total: loss.total.detach() + weighted.detach() + pull(gradients.loss), terms: terms)
    }
    let (ofLoss, ofTerm) = gradients(loss.total, weighted, retainGraph: learns)
    var total = loss.total.detach()
    let comparison: Comparison
    let after: Tensor
    switch (settings.balance, settings.balanceOn) {
    case (.clip, _):
      comparison = Comparison(ofLoss, ofTerm)
      let clipped = clipped(ofTerm, by: comparison)
      after = Comparison.length(clipped) / comparison.ofLoss
      total = total + (after / comparison.ratio) * weighted.detach() + pull(sums(ofLoss, clipped))
    case (_, .logits):
      comparison = Comparison(ofLoss, ofTerm)
      let scale = scale(comparison)
      after = scale * comparison.ratio
      total = total + scale * weighted.detach() + pull(sums(ofLoss, ofTerm.map { scale * $0 }))
    case (_, .weights):
      let (a, b) = onWeights(weights, ofLoss, ofTerm)
      comparison = Comparison([a], [b])
      let scale = scale(comparison)
      after = scale * comparison.ratio
      let flat = Tensor.cat(weights.map { $0.flatten() })
      total = total + scale * weighted.detach() + Self.pull(flat, along: a + scale * b)
    }
    if learns { total = total + (weighted - weighted.detach()) }
    return DefenseLoss(total: total, terms: terms + comparison.terms(after: after))
  }

  // MARK: Gradients

  /// The gradients of loss and term with respect to the inputs.
  private func gradients(
    _ loss: Tensor, _ term: Tensor?, retainGraph: Bool
  ) -> (loss: [Tensor], term: [Tensor]) {
    inGradientPrecision {
      (
        grad(of: loss, wrt: Array(inputs.prefix(readByLoss)), retainGraph: retainGraph),
        term.map { grad(of: $0, wrt: inputs, retainGraph: retainGraph) } ?? []
      )
    }
  }

  /// Gradients on the logits carried on to the weights, each as one vector.
  private func onWeights(
    _ weights: [Tensor], _ ofLoss: [Tensor], _ ofTerm: [Tensor]
  ) -> (loss: Tensor, term: Tensor) {
    func carried(_ gradients: [Tensor], retainGraph: Bool) -> Tensor {
      let products = withGrad { zip(logits, gradients).map { ($0 * $1).sum() } }
      let sum = withGrad { products.dropFirst().reduce(products[0], +) }
      return inGradientPrecision {
        .cat(grad(of: sum, wrt: weights, retainGraph: retainGraph).map { $0.flatten() })
      }
    }
    return (carried(ofLoss, retainGraph: true), carried(ofTerm, retainGraph: false))
  }

  /// Float32 products of a gradient are not to be rounded to the precision of the forward pass around it.
  private func inGradientPrecision<Result>(_ body: () -> Result) -> Result {
    let device = logits[0].device
    return Precision.inForce(on: device) == .bfloat16
      ? withPrecision(settings.scorePrecision, on: device, body) : body()
  }

  // MARK: The rules

  /// The factor that brings the term's gradient to the bound where it is longer, and exactly 1 where it is not.
  private func scale(_ comparison: Comparison) -> Tensor {
    (settings.balanceRatio / comparison.ratio).clamp(max: 1)
  }

  /// The term's gradient with each sample's part brought to the bound where it is longer.
  private func clipped(_ ofTerm: [Tensor], by comparison: Comparison) -> [Tensor] {
    let samples = Double(logits[0].size(0))
    let bound = comparison.ofLoss * (settings.balanceRatio / samples.squareRoot())
    let lengths = Tensor.cat(ofTerm, dim: 1).norm(2, [1], keepdim: true)
    let scales = (bound / lengths.clamp(min: Comparison.tiny)).clamp(max: 1)
    return ofTerm.map { scales * $0 }
  }

  private func sums(_ ofLoss: [Tensor], _ ofTerm: [Tensor]) -> [Tensor] {
    ofTerm.enumerated().map { $0 < ofLoss.count ? ofLoss[$0] + $1 : $1 }
  }

  /// A value of exactly zero with given gradients on the logits.
  private func pull(_ gradients: [Tensor]) -> Tensor {
    let parts = zip(logits, gradients).map { Self.pull($0, along: $1) }
    return parts.dropFirst().reduce(parts[0], +)
  }

  /// A value of exactly zero with a given gradient.
  static func pull(_ variable: Tensor, along gradient: Tensor) -> Tensor {
    ((variable - variable.detach()) * gradient).sum()
  }

  /// The share of the class that is predicted most, of the last pass.
  private static func largestShare(of logits: [Tensor]) -> Tensor {
    withoutGrad {
      let last = logits[logits.count - 1].detach()
      let classes = Tensor.arange(last.size(1), device: last.device)
      return (last.argmax(1).unsqueeze(1) .== classes).to(.float32).mean([0]).max()
    }
  }

  /// The lengths of two gradients and the angle between them.
  private struct Comparison {
    static let tiny = 1e-12

    let ofLoss: Tensor
    let ofTerm: Tensor
    let product: Tensor

    /// Gradients by variable; the loss's may be those of the first variables alone.
    init(_ loss: [Tensor], _ term: [Tensor]) {
      ofLoss = Self.length(loss).clamp(min: Self.tiny)
      ofTerm = Self.length(term)
      let products = zip(loss, term).map { ($0 * $1).sum() }
      product = products.dropFirst().reduce(products[0], +)
    }

    /// The length of the term's gradient relative to the loss's.
    var ratio: Tensor { (ofTerm / ofLoss).clamp(min: Self.tiny) }

    static func length(_ gradients: [Tensor]) -> Tensor {
      gradients.count == 1 ? gradients[0].norm() : Tensor.stack(gradients.map { $0.norm() }).norm()
    }

    func terms(after: Tensor) -> [(name: String, value: Tensor)] {
      [
        ("ratio", ratio), ("ratio_balanced", after),
        ("alignment", product / (ofLoss * ofTerm).clamp(min: Self.tiny)),
      ]
    }
  }
}

extension Tensor {
  /// A copy without a history that gradients are taken with respect to.
  func leaf() -> Tensor {
    let leaf = detach().clone()
    leaf.requiresGrad = true
    return leaf
  }
}
