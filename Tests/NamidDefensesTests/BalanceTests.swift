import NamidAttacks
import NamidInformation
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidDefenses

/// The rules that keep an added term from outweighing the loss.
@Suite(.serialized) struct BalanceTests {
  private let batch = Batch(
    images: ClosedForm.picture([6, 1, 28, 28]), labels: Tensor([0, 1, 2, 3, 4, 5], shape: [6]),
    indices: Array(0..<6))
  private let attacked = ClosedForm.tensor("attacked", [6, 1, 28, 28])
  private let attack = TrainingAttack(PGD(threat: ThreatModel(epsilon: 0.1), steps: 1))

  /// The first of some fresh networks that takes a few of the images for something else when they are inverted.
  private func network() throws -> Network {
    func made(_ seed: Int) throws -> Network {
      let network = try Network(
        NetworkSpecification(
          architecture: "resnet18", width: 2, channels: 1, imageHeight: 28, imageWidth: 28),
        stream: RandomStream(seed: seed))
      network.isTraining = true
      return network
    }
    for seed in 0..<50 {
      let network = try made(seed)
      let flips = withoutGrad {
        (network.logits(batch.images).argmax(1) .!= network.logits(others()).argmax(1)).bools()
      }
      if (2...5).contains(flips.count { $0 }) { return try made(seed) }
    }
    preconditionFailure("no network among fifty has samples that are flipped")
  }

  /// A batch whose labels are what the network says unattacked, so that some samples are flipped.
  private func flipping(_ network: Network) -> Batch {
    let labels = withoutGrad { network.logits(batch.images).argmax(1) }
    return Batch(images: batch.images, labels: labels, indices: batch.indices)
  }

  /// Attacked images that the network takes for something else: noise that is no picture.
  private func others() -> Tensor { 1 - batch.images }

  private func namid(
    base: (any AdversarialObjective)? = nil, _ change: (inout NAMID.Settings) -> Void
  ) -> NAMID {
    var settings = NAMID.Settings()
    change(&settings)
    let pair = EstimatorPair(
      EstimatorSpecification(units: 8, channels: 1), stream: RandomStream(seed: 2))
    return NAMID(
      base ?? StandardAT(attack: attack), estimators: pair, settings: settings,
      stream: RandomStream(seed: 5))
  }

  private func value(_ loss: DefenseLoss, _ name: String) throws -> Double {
    try #require(loss.terms.first { $0.name == name }).value.item()
  }

  private func gradients(_ loss: Tensor, _ network: Network) -> [Tensor] {
    network.store.zeroGrad()
    loss.backward()
    return network.store.parameters.map { ($0.grad ?? $0.zerosLike()).clone() }
  }

  private func length(_ gradients: [Tensor]) -> Double {
    gradients.reduce(0) { $0 + $1.square().sum().item() }.squareRoot()
  }

  /// Loss and weighted term of Equation 9, put together by hand on one graph.
  private func parts(
    _ defense: NAMID, _ network: Network, _ batch: Batch, _ attacked: Tensor
  ) -> (loss: Tensor, term: Tensor, logits: [Tensor]) {
    let adversarial = network.logits(attacked)
    let natural = network.logits(batch.images)
    let loss = defense.base.loss(
      natural: defense.base.readsNatural ? natural : nil, adversarial: adversarial,
      labels: batch.labels)
    let term = defense.addedLoss(
      batch: batch, attacked: attacked, natural: natural, adversarial: adversarial, epoch: 0)
    return (loss.total, defense.settings.alpha * term.total, [adversarial, natural])
  }

  // MARK: Nothing

  /// Without a rule the loss is the sum of Equation 9, bit for bit in value and gradient.
  @Test(arguments: ["standard", "trades", "mart"])
  func withoutARuleTheLossIsThePlainSum(_ name: String) throws {
    let bases: [String: any AdversarialObjective] = [
      "standard": StandardAT(attack: attack), "trades": TRADES(attack: attack),
      "mart": MART(attack: attack),
    ]
    let (network, copy) = (try network(), try network())
    let batch = flipping(network)
    let defense = namid(base: bases[name]) { _ in }
    let loss = defense.loss(of: network, batch: batch, attacked: others(), epoch: 0)
    let parts = parts(defense, copy, batch, others())
    #expect(parts.term.requiresGrad)
    expectIdentical(loss.total.detach(), (parts.loss + parts.term).detach())
    for (a, b) in zip(gradients(loss.total, network), gradients(parts.loss + parts.term, copy)) {
      expectIdentical(a, b)
    }
    #expect(try value(loss, "ratio") == value(loss, "ratio_balanced"))
  }

  // MARK: The cap

  /// The gradient is that of the loss plus the term times a factor, which is computed here from the two apart.
  @Test(arguments: ["standard", "trades"], BalancePlace.allCases)
  func theCappedGradientIsThatOfAScaledTerm(_ name: String, _ place: BalancePlace) throws {
    let base: any AdversarialObjective =
      name == "trades" ? TRADES(attack: attack) : StandardAT(attack: attack)
    for ratio in [0.01, 0.5, 1e6] {
      let (network, copy) = (try network(), try network())
      let batch = flipping(network)
      let defense = namid(base: base) {
        $0.balance = .cap
        $0.balanceRatio = ratio
        $0.balanceOn = place
      }
      let loss = defense.loss(of: network, batch: batch, attacked: others(), epoch: 0)
      let parts = parts(defense, copy, batch, others())
      let variables = place == .logits ? parts.logits : copy.store.parameters
      let (a, b) = (
        grad(of: parts.loss, wrt: variables, retainGraph: true),
        grad(of: parts.term, wrt: variables, retainGraph: true)
      )
      let before = length(b) / length(a)
      let scale = min(1, ratio / before)
      expectClose(try value(loss, "ratio"), before, rtol: 1e-4)
      expectClose(try value(loss, "ratio_balanced"), scale * before, rtol: 1e-4)
      let dot = zip(a, b).reduce(0) { $0 + ($1.0 * $1.1).sum().item() }
      expectClose(
        try value(loss, "alignment"), dot / (length(a) * length(b)), rtol: 1e-3, atol: 1e-5)
      expectClose(loss.total.item(), parts.loss.item() + scale * parts.term.item(), rtol: 1e-5)
      let expected = gradients(parts.loss + scale * parts.term, copy)
      for (own, other) in zip(gradients(loss.total, network), expected) {
        expectClose(own, other, rtol: 1e-3, atol: 1e-5 * Swift.max(1, length(expected)))
      }
    }
  }

  /// By central differences in float64, with the factor held fixed.
  @Test func theCappedGradientIsThatOfDifferences() throws {
    var settings = NAMID.Settings()
    settings.balance = .cap
    settings.balanceRatio = 0.25
    let start = ClosedForm.tensor("logits", [4, 3]).to(.float64)
    let labels = Tensor([0, 2, 1, 1], shape: [4])
    func loss(_ z: Tensor) -> Tensor { z.crossEntropy(labels) }
    func term(_ z: Tensor) -> Tensor { (z.square() * z.sin()).sum() }
    let leaf = start.leaf()
    let sum = BalancedSum(settings, logits: [leaf], readByLoss: 1)
    let total = sum.total(
      DefenseLoss(total: loss(sum.inputs[0])), DefenseLoss(total: term(sum.inputs[0])), weight: 5,
      weights: [])
    let gradient = grad(of: total.total, wrt: leaf).doubles
    let scale = try value(total, "ratio_balanced") / value(total, "ratio")
    #expect(scale < 0.2)
    let values = start.doubles
    for i in values.indices {
      let ends = [1e-5, -1e-5].map { step in
        var moved = values
        moved[i] += step
        let z = Tensor(moved, shape: [4, 3])
        return (loss(z) + (5 * scale) * term(z)).item()
      }
      expectClose(gradient[i], (ends[0] - ends[1]) / 2e-5, rtol: 1e-6, atol: 1e-8)
    }
  }

  /// The bound holds whatever it is, and a term below it is left alone: the factor is exactly 1.
  @Test(arguments: Balance.allCases.dropFirst(), [1e-3, 0.1, 0.5, 1, 10, 1e5])
  func theBoundHolds(_ rule: Balance, _ bound: Double) throws {
    for term in NAMID.Term.allCases {
      for mean in NAMID.Mean.allCases {
        let network = try network()
        let defense = namid {
          $0.balance = rule
          $0.balanceRatio = bound
          $0.term = term
          $0.mean = mean
        }
        let loss = defense.loss(
          of: network, batch: flipping(network), attacked: others(), epoch: 0)
        let (before, after) = (try value(loss, "ratio"), try value(loss, "ratio_balanced"))
        #expect(after <= bound * (1 + 1e-5) && after <= before * (1 + 1e-5))
        if bound == 1e5 { expectClose(after, before, rtol: 1e-6) }
        if rule == .cap && before < bound { #expect(after == before) }
        if rule == .cap && before > bound { expectClose(after, bound, rtol: 1e-4) }
      }
    }
  }

  /// Each sample's part of the clipped gradient is bounded by the root mean square of the loss's.
  @Test func clippingBoundsEverySample() throws {
    let network = try network()
    let batch = flipping(network)
    let logits = withoutGrad { [network.logits(others()), network.logits(batch.images)] }
    func gradient(_ rule: Balance) -> (loss: Tensor, sum: Tensor) {
      let defense = namid {
        $0.balance = rule
        $0.balanceRatio = 0.3
      }
      let leaves = logits.map { $0.leaf() }
      let sum = BalancedSum(defense.settings, logits: leaves, readByLoss: 1)
      let loss = defense.base.loss(
        natural: nil, adversarial: sum.inputs[0], labels: batch.labels)
      let term = defense.addedLoss(
        batch: batch, attacked: others(), natural: sum.inputs[1], adversarial: sum.inputs[0],
        epoch: 0)
      let total = sum.total(loss, term, weight: 5, weights: []).total
      let own = logits[0].leaf()
      return (
        grad(of: own.crossEntropy(batch.labels), wrt: own),
        Tensor.cat(grad(of: total, wrt: leaves), dim: 1)
      )
    }
    let (none, clipped) = (gradient(.none), gradient(.clip))
    let ofLoss = Tensor.cat([none.loss, none.loss.zerosLike()], dim: 1)
    let bound = 0.3 * ofLoss.norm().item() / 6.0.squareRoot()
    let lengths = [none, clipped].map { ($0.sum - ofLoss).norm(2, [1]).doubles }
    #expect(lengths[0].contains { $0 > bound })
    for (before, after) in zip(lengths[0], lengths[1]) {
      expectClose(after, min(before, bound), rtol: 1e-3, atol: 1e-6)
    }
  }

  // MARK: Means and placebos

  @Test func theMeanOverTheBatchCountsTheSelected() throws {
    let network = try network()
    let batch = flipping(network)
    let logits = withoutGrad { [network.logits(batch.images), network.logits(others())] }
    let losses = NAMID.Mean.allCases.map { mean in
      namid { $0.mean = mean }.addedLoss(
        batch: batch, attacked: others(), natural: logits[0], adversarial: logits[1], epoch: 0)
    }
    let share = try value(losses[0], "selected")
    #expect(share > 0 && share < 1.01)
    expectClose(losses[1].total.item(), share * losses[0].total.item(), rtol: 1e-6)
  }

  @Test func aRandomDirectionIsAsLongAsTheTerm() throws {
    let network = try network()
    let batch = flipping(network)
    func gradient(_ term: NAMID.Term, epoch: Int) -> Tensor {
      let leaves = withoutGrad { [batch.images, others()].map { network.logits($0) } }
        .map { $0.leaf() }
      let loss = namid { $0.term = term }.addedLoss(
        batch: batch, attacked: others(), natural: leaves[0], adversarial: leaves[1], epoch: epoch)
      if term == .randomDirection { #expect(loss.total.item() == 0) }
      return Tensor.stack(grad(of: loss.total, wrt: leaves))
    }
    let term = gradient(.mutualInformation, epoch: 0)
    let random = (0...1).map { gradient(.randomDirection, epoch: $0) }
    expectIdentical(random[0], gradient(.randomDirection, epoch: 0))
    #expect(random[0].floats() != random[1].floats())
    for direction in random {
      expectClose(direction.norm().item(), term.norm().item(), rtol: 1e-5)
      // It moves the logits that L_mi moves, and no others.
      #expect(
        direction.abs().sum([2]).floats().map { $0 > 0 }
          == term.abs().sum([2]).floats().map { $0 > 0 })
      let cosine = (direction * term).sum().item() / term.square().sum().item()
      #expect(abs(cosine) < 0.8)
    }
  }

  // MARK: WMIM

  @Test(arguments: WMIM.Mode.allCases, BalancePlace.allCases)
  func standardMIIsCappedToo(_ mode: WMIM.Mode, _ place: BalancePlace) throws {
    func loss(_ rule: Balance) throws -> (DefenseLoss, own: [Tensor], estimator: [Tensor]) {
      let network = try network()
      let estimator = Estimator(
        EstimatorSpecification(units: 8, channels: 1), stream: RandomStream(seed: 3))
      var settings = WMIM.Settings()
      settings.mode = mode
      settings.weight = 50
      settings.balance = rule
      settings.balanceOn = place
      let defense = WMIM(attack: attack, estimator: estimator, settings: settings)
      let loss = defense.loss(of: network, batch: batch, attacked: attacked, epoch: 0)
      let own = gradients(loss.total, network)
      return (loss, own, estimator.store.parameters.compactMap { $0.grad?.clone() })
    }
    let (none, capped) = (try loss(.none), try loss(.cap))
    #expect(try value(none.0, "ratio") > 0.5)
    expectClose(try value(capped.0, "ratio_balanced"), 0.5, rtol: 1e-4)
    #expect(length(capped.own) < length(none.own))
    // An estimator that learns along does so as without a rule.
    #expect(none.estimator.isEmpty == (mode == .frozen))
    for (a, b) in zip(none.estimator, capped.estimator) {
      expectClose(a, b, rtol: 1e-3, atol: 1e-5 * Swift.max(1, length(none.estimator)))
    }
  }

  @Test func settingsThatCannotWorkAreRefused() {
    var settings = NAMID.Settings()
    settings.balanceRatio = 0
    #expect(message { try settings.validate() }?.contains("balanceRatio") == true)
    settings.balanceRatio = 1
    (settings.balance, settings.balanceOn) = (.clip, .weights)
    #expect(message { try settings.validate() }?.contains("balanceOn") == true)
  }
}
