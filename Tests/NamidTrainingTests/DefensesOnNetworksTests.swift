import Foundation
import NamidAttacks
import NamidData
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidDefenses

/// What defenses cost and leave behind in whole networks; their formulas have tests of their own.
@Suite(.serialized) struct DefensesOnNetworksTests {
  private let threat = ThreatModel(epsilon: Fraction(1, over: 10))
  private let batch: Batch
  private let streams: RandomStreams

  init() {
    batch = ImageTensors(SyntheticImages.set(12)).batch(Array(0..<12))
    streams = RandomStreams((0..<12).map { RandomStream(seed: 5).keyed($0) })
  }

  private func network(_ architecture: String = "resnet18") throws -> Network {
    let network = try Network(
      NetworkSpecification(
        architecture: architecture, width: 2, classCount: 3, imageHeight: 12, imageWidth: 12),
      stream: RandomStream(seed: 1))
    network.isTraining = true
    return network
  }

  private func attack(epsilon: Fraction? = nil) -> TrainingAttack {
    TrainingAttack(PGD(threat: ThreatModel(epsilon: epsilon ?? threat.epsilon), steps: 2))
  }

  private func namid(
    epsilon: Fraction? = nil, _ change: (inout NAMID.Settings) -> Void = { _ in }
  ) -> NAMID {
    var settings = NAMID.Settings()
    change(&settings)
    let specification = EstimatorSpecification(units: 8, classCount: 3)
    return NAMID(
      StandardAT(attack: attack(epsilon: epsilon)),
      estimators: EstimatorPair(specification, stream: RandomStream(seed: 2)), settings: settings)
  }

  private func value(_ loss: DefenseLoss, _ name: String) throws -> Double {
    try #require(loss.terms.first { $0.name == name }).value.item()
  }

  private func statistics(_ network: Network) -> [String: [Float]] {
    statistics(of: network.store)
  }

  private func statistics(of store: ParameterStore) -> [String: [Float]] {
    var values: [String: [Float]] = [:]
    for (name, tensor) in store.state where name.contains("running_") {
      values[name] = tensor.array()
    }
    return values
  }

  /// Logits of which the first `flipped` samples are right unattacked and wrong attacked.
  private func logits(flipped: Int) -> (natural: Tensor, adversarial: Tensor) {
    let rows = batch.labels.array(of: Int.self).enumerated().map { i, label in
      (0..<3).map { Float($0 == label ? 2 : 0) + 0.1 * Float((3 * i + $0) % 5) }
    }
    let turned = rows.enumerated().map { i, row in
      i < flipped ? Array(row[2...] + row[..<2]) : row
    }
    return (
      Tensor(Array(rows.joined()), shape: [12, 3]), Tensor(Array(turned.joined()), shape: [12, 3])
    )
  }

  // MARK: Terms

  @Test func theTermIsMadeOfItsParts() throws {
    let defense = namid { $0.lambda = 0.25 }
    let (natural, adversarial) = logits(flipped: 5)
    let noise = Tensor.uniform(streams.each, shape: [3, 12, 12], low: -0.1, high: 0.1)
    let term = defense.mutualInformationLoss(
      batch: batch, attacked: batch.images + noise, natural: natural, adversarial: adversarial)
    #expect(term.terms.map(\.name) == ["cos_n", "cos_a", "mi_n", "mi_a", "selected"])
    #expect(abs(try value(term, "selected") - 5.0 / 12) < 1e-6)
    let parts = try ["cos_n", "cos_a", "mi_n", "mi_a"].map { try value(term, $0) }
    // Losses are −I, so the weighted difference of Equation 8 is I_a − I_n.
    let expected = parts[0] + parts[1] + 0.25 * (parts[3] - parts[2])
    #expect(abs(term.total.item() - expected) < 1e-5)
    // By hand: E_n of attacked samples, over the selected ones alone.
    let losses = withoutGrad {
      defense.estimators.natural.losses(
        defense.estimators.natural.features(of: batch.images), logits: adversarial)
    }
    let selected = Tensor(Array(0..<5), shape: [5])
    #expect(abs(-losses.indexSelect(selected).mean().item() - parts[2]) < 1e-5)
  }

  // MARK: Degenerate selections

  /// Without a perturbation nothing flips: what remains is the cross-entropy, in value and gradient.
  @Test func namidWithNoSampleSelectedIsTheCrossEntropy() throws {
    let network = try network()
    let loss = namid(epsilon: Fraction(0)).loss(
      of: network, batch: batch, streams: streams, epoch: 0)
    loss.total.backward()
    let plain = try self.network()
    let expected = plain.logits(batch.images).crossEntropy(batch.labels)
    expected.backward()
    #expect(loss.terms.map(\.name) == ["ce_adv", "selected", "top_class"])
    #expect(try value(loss, "selected") == 0)
    #expect(loss.total.item() == expected.item())
    for (a, b) in zip(network.store.parameters, plain.store.parameters) {
      #expect(a.grad?.array(of: Float.self) == b.grad?.array(of: Float.self))
    }
  }

  @Test(arguments: CosineForm.allCases)
  func namidWithOneSampleSelectedHasFiniteGradients(cosine: CosineForm) throws {
    let defense = namid { $0.cosine = cosine }
    let (natural, adversarial) = logits(flipped: 1)
    for logits in [natural, adversarial] { logits.requiresGrad = true }
    let noise = Tensor.uniform(streams.each, shape: [3, 12, 12], low: -0.1, high: 0.1)
    let term = defense.mutualInformationLoss(
      batch: batch, attacked: batch.images + noise, natural: natural, adversarial: adversarial)
    #expect(term.total.item().isFinite)
    term.total.backward()
    let gradients = [natural, adversarial].flatMap { $0.grad?.array(of: Float.self) ?? [.nan] }
    #expect(gradients.allSatisfy { $0.isFinite })
    #expect(gradients.contains { $0 != 0 })
  }

  @Test func theEstimatorsStayAsTheyAre() throws {
    let defense = namid()
    let before = statistics(of: defense.estimators.natural.store)
    let (natural, adversarial) = logits(flipped: 5)
    natural.requiresGrad = true
    defense.mutualInformationLoss(
      batch: batch, attacked: batch.images * 0.9, natural: natural, adversarial: adversarial
    ).total.backward()
    #expect(natural.grad != nil)
    for estimator in [defense.estimators.natural, defense.estimators.adversarial] {
      #expect(estimator.store.parameters.allSatisfy { $0.grad == nil })
    }
    #expect(!before.isEmpty)
    #expect(statistics(of: defense.estimators.natural.store) == before)
  }

  // MARK: Batch statistics

  /// Seven passes of the authors' code, in their order, leave what two weighted passes leave.
  @Test func referenceStatisticsAreThoseOfSevenPasses() throws {
    let network = try network()
    let defense = namid { $0.statistics = .reference }
    _ = defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
    let copy = try self.network()
    let attacked = attack().craft(on: copy, batch: batch, streams: streams)
    let (a, n) = (attacked, batch.images)
    for images in [a, n, a, n, a, a, n] { withoutGrad { _ = copy.logits(images) } }
    try expectClose(statistics(network), statistics(copy))
    // Two plain passes leave something else, so the comparison can fail.
    let two = try self.network()
    for images in [attacked, batch.images] { withoutGrad { _ = two.logits(images) } }
    let name = "layer4.1.bn2.running_mean"
    let means = try [two, copy].map { try #require(statistics($0)[name]) }
    let apart = zip(means[0], means[1]).map { abs($0 - $1) }.max() ?? 0
    #expect(apart > 1e-3)
  }

  @Test func bothStatisticsAreThoseOfTwoPasses() throws {
    let network = try network()
    let defense = namid()
    _ = defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
    let copy = try self.network()
    let attacked = attack().craft(on: copy, batch: batch, streams: streams)
    for images in [attacked, batch.images] { withoutGrad { _ = copy.logits(images) } }
    try expectClose(statistics(network), statistics(copy))
  }

  @Test func adversarialStatisticsAreThoseOfStandardTraining() throws {
    let network = try network()
    _ = namid { $0.statistics = .adversarial }
      .loss(of: network, batch: batch, streams: streams, epoch: 0)
    let standard = try self.network()
    _ = StandardAT(attack: attack()).loss(of: standard, batch: batch, streams: streams, epoch: 0)
    #expect(statistics(network) == statistics(standard))
    #expect(network.fingerprint == standard.fingerprint)
    #expect(try network.fingerprint != self.network().fingerprint)
  }

  // MARK: Work

  /// ResNet-18 has 20 convolutions and as many normalisations; the latter are folded away while attacking.
  @Test(arguments: NAMID.StatisticsPasses.allCases)
  func namidTakesTwoTrainingPasses(statistics: NAMID.StatisticsPasses) throws {
    let network = try network()
    let defense = namid(epsilon: Fraction(0)) { $0.statistics = statistics }
    let counts = CallCounter.count {
      _ = defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
    }
    #expect(counts[.conv2d] == (2 + 2) * 20)
    #expect(counts[.batchNorm] == 2 * 20)
  }

  @Test func standardTrainingTakesOneTrainingPass() throws {
    let network = try network()
    let defense = StandardAT(attack: attack())
    let counts = CallCounter.count {
      _ = defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
    }
    #expect(counts[.conv2d] == (2 + 1) * 20)
    #expect(counts[.batchNorm] == 20)
  }
}

private func expectClose(
  _ values: [String: [Float]], _ expected: [String: [Float]],
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  #expect(values.count == 40 && expected.count == 40, sourceLocation: sourceLocation)
  for (name, numbers) in expected {
    for (a, b) in zip(try #require(values[name]), numbers) {
      #expect(abs(a - b) <= 1e-6 + 1e-5 * abs(b), "\(name)", sourceLocation: sourceLocation)
    }
  }
}
