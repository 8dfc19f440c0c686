import NamidAttacks
import NamidFiles
import NamidInformation
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidDefenses

@Suite(.serialized) struct DefenseTests {
  let batch = Batch(
    images: ClosedForm.picture([6, 1, 8, 8]), labels: Tensor([0, 1, 2, 0, 1, 2], shape: [6]),
    indices: Array(0..<6))
  let streams = RandomStreams((0..<6).map { RandomStream(seed: 1).keyed($0) })
  let attack = TrainingAttack(PGD(threat: ThreatModel(norm: .linf, epsilon: 0.1), steps: 2))

  func network() throws -> Network {
    let network = try Network(
      NetworkSpecification(
        architecture: "resnet18", width: 2, classCount: 3, channels: 1, imageHeight: 8,
        imageWidth: 8), stream: RandomStream(seed: 4))
    network.isTraining = true
    return network
  }

  func namid(_ change: (inout NAMID.Settings) -> Void = { _ in }) -> NAMID {
    var settings = NAMID.Settings()
    change(&settings)
    let pair = EstimatorPair(
      EstimatorSpecification(units: 8, classCount: 3, channels: 1),
      stream: RandomStream(seed: 2))
    return NAMID(StandardAT(attack: attack), estimators: pair, settings: settings)
  }

  /// Logits that call every sample right, but for the listed ones.
  func logits(wrong: [Int] = []) -> Tensor {
    let labels = batch.labels.ints()
    let values = labels.indices.flatMap { i in
      (0..<3).map { c -> Float in
        c == (wrong.contains(i) ? (labels[i] + 1) % 3 : labels[i]) ? 2 : Float(c) / 10
      }
    }
    let tensor = Tensor(values, shape: [6, 3])
    tensor.requiresGrad = true
    return tensor
  }

  func term(_ loss: DefenseLoss, _ name: String) throws -> Double {
    try #require(loss.terms.first { $0.name == name }).value.item()
  }

  @Test func withoutSelectedSamplesTheTermIsZero() throws {
    let loss = namid().mutualInformationLoss(
      batch: batch, attacked: batch.images * 0.9, natural: logits(), adversarial: logits())
    #expect(loss.total.item() == 0 && !loss.total.requiresGrad)
    #expect(try term(loss, "selected") == 0)
  }

  @Test func withOneSelectedSampleOnlyTheValuesHaveAGradient() throws {
    for lambda in [0, 0.1] {
      let (natural, adversarial) = (logits(), logits(wrong: [3]))
      let loss = namid { $0.lambda = lambda }.mutualInformationLoss(
        batch: batch, attacked: batch.images * 0.9, natural: natural, adversarial: adversarial)
      #expect(loss.total.isfinite().bools() == [true])
      expectClose(try term(loss, "selected"), 1.0 / 6)
      let gradients = grad(of: loss.total, wrt: [natural, adversarial])
      // Eq. 8 values logits of attacked images alone.
      expectClose(gradients[0], .zeros([6, 3]), rtol: 0, atol: 1e-5)
      let size = gradients[1].abs().max().item()
      #expect(lambda == 0 ? size < 1e-5 : size > 1e-4, "\(lambda) \(size)")
    }
  }

  /// The ablations of Figure 5: each half of the term alone, which together are the whole.
  @Test func halvesOfTheTermAddUp() throws {
    let (natural, adversarial) = (logits(), logits(wrong: [0, 2, 5]))
    let losses = [nil, .natural, .adversarial].map { (only: NAMID.Only?) in
      namid { $0.only = only }.mutualInformationLoss(
        batch: batch, attacked: batch.images * 0.9, natural: natural, adversarial: adversarial)
    }
    let totals = losses.map { $0.total.item() }
    expectClose(totals[1] + totals[2], totals[0], rtol: 1e-5, atol: 1e-6)
    #expect(totals[1] != totals[2])
    let names = losses.map { $0.terms.map(\.name) }
    #expect(names[0] == ["cos_n", "cos_a", "mi_n", "mi_a", "selected"])
    #expect(names[1] == ["cos_n", "mi_n", "selected"])
    #expect(names[2] == ["cos_a", "mi_a", "selected"])
  }

  @Test func unselectedSamplesDoNotCount() {
    let defense = namid()
    let natural = logits()
    let adversarial = logits(wrong: [1, 4])
    let loss = defense.mutualInformationLoss(
      batch: batch, attacked: batch.images * 0.9, natural: natural, adversarial: adversarial)
    let gradients = grad(of: loss.total, wrt: [natural, adversarial])
    for gradient in gradients {
      let rows = gradient.abs().sum([1]).doubles
      #expect(rows[1] > 0 && rows[4] > 0)
      // Estimators in evaluation mode: a sample's own features depend on no other.
      #expect([0, 2, 3, 5].allSatisfy { rows[$0] == 0 })
    }
  }

  @Test func defensesTrainTheNetworkAndNothingElse() throws {
    let namid = namid()
    for defense in [NaturalTraining(), StandardAT(attack: attack), namid] as [any Defense] {
      let network = try network()
      let loss = defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
      #expect(loss.total.rank == 0 && loss.total.isfinite().bools() == [true])
      #expect(network.isTraining && network.store.statisticsMomentum == nil)
      loss.total.backward()
      #expect(network.store.parameters.allSatisfy { $0.grad != nil }, "\(defense.name)")
      #expect(loss.terms.allSatisfy { !$0.value.requiresGrad })
    }
    for estimator in [namid.estimators.natural, namid.estimators.adversarial] {
      #expect(!estimator.store.isTraining)
      #expect(estimator.store.parameters.allSatisfy { $0.grad == nil })
    }
  }

  @Test func crossEntropyIsOfTheRightImages() throws {
    let natural = try network()
    let loss = NaturalTraining().loss(of: natural, batch: batch, streams: streams, epoch: 0)
    expectIdentical(
      loss.total.detach(), try network().logits(batch.images).crossEntropy(batch.labels).detach())
    let standard = StandardAT(attack: attack).loss(
      of: try network(), batch: batch, streams: streams, epoch: 0)
    let attacked = attack.craft(on: try network(), batch: batch, streams: streams)
    expectIdentical(
      standard.total.detach(), try network().logits(attacked).crossEntropy(batch.labels).detach())
    #expect(standard.total.item() != loss.total.item())
  }

  @Test func theTotalIsTheWeightedSum() throws {
    let defense = namid {
      $0.alpha = 3
      $0.lambda = 0.25
    }
    let loss = defense.loss(of: try network(), batch: batch, streams: streams, epoch: 0)
    let crossEntropy = try term(loss, "ce_adv")
    if try term(loss, "selected") == 0 {
      expectClose(loss.total.item(), crossEntropy)
    } else {
      let difference = try term(loss, "mi_a") - term(loss, "mi_n")
      let sum = try term(loss, "cos_n") + term(loss, "cos_a") + 0.25 * difference
      expectClose(loss.total.item(), crossEntropy + 3 * sum, rtol: 1e-4)
    }
  }

  @Test func warmUpIsOrdinaryTraining() throws {
    let defense = namid { $0.warmUpEpochs = 2 }
    let expected = NaturalTraining().loss(
      of: try network(), batch: batch, streams: streams, epoch: 0)
    for epoch in [0, 1] {
      let loss = defense.loss(of: try network(), batch: batch, streams: streams, epoch: epoch)
      expectIdentical(loss.total.detach(), expected.total.detach())
    }
    let after = defense.loss(of: try network(), batch: batch, streams: streams, epoch: 2)
    #expect(after.terms.contains { $0.name == "ce_adv" })
  }

  @Test func sevenPassesAreTwo() {
    // The order of the authors' passes; 1 stands for the adversarial batch, 100 for the natural one.
    var value = 10_000.0
    for batch in [1, 100, 1, 100, 1, 1, 100] { value = 0.9 * value + 0.1 * Double(batch) }
    let momenta = NAMID.StatisticsPasses.reference.momenta
    var twice = 10_000.0
    twice += (momenta.adversarial ?? 0) * (1 - twice)
    twice += (momenta.natural ?? 0) * (100 - twice)
    expectClose(twice, value, rtol: 1e-12)
  }

  @Test func statisticsFollowTheChosenPasses() throws {
    func moved(_ passes: NAMID.StatisticsPasses) throws -> (count: Int, mean: [Float]) {
      let network = try network()
      _ = namid { $0.statistics = passes }.loss(
        of: network, batch: batch, streams: streams, epoch: 0)
      let state = Dictionary(uniqueKeysWithValues: network.store.state)
      return (
        try #require(state["bn1.num_batches_tracked"]).ints()[0],
        try #require(state["bn1.running_mean"]).floats()
      )
    }
    let standard = try network()
    _ = StandardAT(attack: attack).loss(of: standard, batch: batch, streams: streams, epoch: 0)
    let expected = Dictionary(uniqueKeysWithValues: standard.store.state)
    let adversarial = try moved(.adversarial)
    #expect(adversarial.count == 1)
    #expect(adversarial.mean == expected["bn1.running_mean"]?.floats())
    #expect(try moved(.both).count == 2 && moved(.reference).count == 2)
    #expect(try moved(.both).mean != moved(.reference).mean)
  }
}
