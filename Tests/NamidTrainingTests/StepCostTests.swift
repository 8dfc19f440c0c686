import NamidAttacks
import NamidData
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidDefenses

/// What a training step costs in calls, walks back and memory: a change that makes it dearer fails here.
@Suite(.serialized) struct StepCostTests {
  private let batch = ImageTensors(SyntheticImages.set(12)).batch(Array(0..<12))
  private let streams = RandomStreams((0..<12).map { RandomStream(seed: 5).keyed($0) })
  private let network: Network
  private let optimizer: SGD

  init() throws {
    network = try Network(
      NetworkSpecification(
        architecture: "resnet18", width: 2, classCount: 3, imageHeight: 12, imageWidth: 12),
      stream: RandomStream(seed: 1))
    network.isTraining = true
    optimizer = SGD(network.store, momentum: 0.9, weightDecay: 2e-4)
  }

  private func standard(steps: Int) -> StandardAT {
    StandardAT(
      attack: TrainingAttack(
        PGD(threat: ThreatModel(epsilon: Fraction(1, over: 10)), steps: steps)))
  }

  private func namid(
    steps: Int, _ balance: Balance = .none, on place: BalancePlace = .logits
  ) -> NAMID {
    var settings = NAMID.Settings()
    settings.balance = balance
    settings.balanceOn = place
    return NAMID(
      standard(steps: steps),
      estimators: EstimatorPair(
        EstimatorSpecification(units: 8, classCount: 3), stream: RandomStream(seed: 2)),
      settings: settings)
  }

  private func step(_ defense: some Defense) {
    network.store.zeroGrad()
    defense.loss(of: network, batch: batch, streams: streams, epoch: 0).total.backward()
    optimizer.step(learningRate: 0.01)
  }

  private func counts(_ defense: some Defense) -> CallCounts {
    step(defense)
    return CallCounter.count { step(defense) }
  }

  /// ResNet-18 has 20 convolutions; batch norm is folded into them while attacking, and weights get no gradient.
  @Test func aStepOfTheAttackIsOnePassForthAndOneBack() {
    let (nine, ten) = (counts(standard(steps: 9)), counts(standard(steps: 10)))
    let step = { (op: Operator) in ten[op] - nine[op] }
    #expect(ten.gradients - nine.gradients == 1)
    #expect(step(.conv2d) == 20 && step(.batchNorm) == 0 && step(.linear) == 1)
    // 20 convolutions, 17 rectifiers, 8 additions, 4 more calls of the network; the rest is the step itself.
    #expect(ten.total - nine.total <= 61)
    #expect(step(.nanToNum) == 1 && step(.isfinite) == 0 && step(.mulScalar) == 0)
  }

  @Test func theRestOfAStandardStepIsOneTrainingPass() {
    let none = counts(standard(steps: 0))
    #expect(none.gradients == 1)
    #expect(none[.conv2d] == 20 && none[.batchNorm] == 20 && none[.fusedSgd] == 1)
    // 20 of them count batches; gradients are taken as they lie.
    #expect(none.total <= 104 && none[.copyInPlace] == 0)
  }

  /// Where samples are selected, the two estimators' encoders come on top, once for each of two inputs.
  @Test func namidAddsOneTrainingPassToTheStandardStep() {
    let (standard, namid) = (counts(standard(steps: 10)), counts(namid(steps: 10)))
    // Where samples are selected, gradients on the logits are compared: one walk for the loss, one for the term, both
    // of which end there.
    #expect([11, 13].contains(namid.gradients) && standard.gradients == 11)
    #expect((20...42).contains(namid[.conv2d] - standard[.conv2d]))
    #expect((20...30).contains(namid[.batchNorm] - standard[.batchNorm]))
  }

  /// The cap on the logits makes no further pass through the network, that on the weights one more back.
  ///
  /// Neither asks the device for anything more.
  @Test func theCapOnLogitsMakesNoFurtherPass() {
    let selecting = ImageTensors(SyntheticImages.set(12)).batch(Array(0..<12))
    let labels = withoutGrad { network.logits(selecting.images).argmax(1) }
    let batch = Batch(
      images: selecting.images, labels: labels, indices: selecting.indices)
    func counts(_ balance: Balance, _ place: BalancePlace = .logits) -> CallCounts {
      let defense = namid(steps: 1, balance, on: place)
      return CallCounter.count {
        network.store.zeroGrad()
        let loss = defense.loss(
          of: network, batch: batch, attacked: 1 - batch.images, epoch: 0)
        #expect(loss.terms.contains { $0.name == "ratio" })
        loss.total.backward()
      }
    }
    let (none, capped) = (counts(.none), counts(.cap))
    let weights = counts(.cap, .weights)
    for op in [Operator.conv2d, .batchNorm, .linear] {
      #expect(capped[op] == none[op] && weights[op] == none[op], "\(op)")
    }
    #expect(none.gradients == 3 && capped.gradients == 3 && weights.gradients == 5)
    #expect(capped.readBacks == none.readBacks && weights.readBacks == none.readBacks)
    #expect(capped.uploads == none.uploads && weights.uploads == none.uploads)
    #expect(capped.total - none.total <= 30)
  }

  @Test func memoryGrowsNeitherWithStepsNorWithTime() {
    let use = [2, 2, 10, 10].map { steps in
      let defense = standard(steps: steps)
      return MemoryUse.measure { step(defense) }
    }
    // The first step of all makes the optimizer's momentum.
    #expect(use.dropFirst().allSatisfy { $0.liveBytes == 0 })
    #expect(use[1].peakBytes == use[3].peakBytes)
    #expect(use[2].allocations == use[3].allocations)
    #expect((use[3].allocations - use[1].allocations) / 8 <= 181)
    let alive = Tensor.liveCount
    step(standard(steps: 3))
    #expect(Tensor.liveCount == alive)
  }
}
