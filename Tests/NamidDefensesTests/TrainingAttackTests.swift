import NamidAttacks
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidDefenses

/// How images are crafted: in which ball, for which loss, with which statistics.
@Suite(.serialized) struct TrainingAttackTests {
  private let batch = Batch(
    images: ClosedForm.picture([6, 1, 8, 8]), labels: Tensor([0, 1, 2, 0, 1, 2], shape: [6]),
    indices: Array(0..<6))
  private let streams = RandomStreams((0..<6).map { RandomStream(seed: 1).keyed($0) })

  private func network() throws -> Network {
    let network = try Network(
      NetworkSpecification(
        architecture: "resnet18", width: 2, classCount: 3, channels: 1, imageHeight: 8,
        imageWidth: 8), stream: RandomStream(seed: 4))
    ClosedForm.fill(network.store)
    network.isTraining = true
    return network
  }

  private func attack(
    _ norm: Norm = .linf, steps: Int = 3, batchNorm: BatchNormMode = .evaluation
  ) -> TrainingAttack {
    let epsilon: Fraction = norm == .linf ? 0.1 : 0.5
    return TrainingAttack(
      PGD(threat: ThreatModel(norm: norm, epsilon: epsilon), steps: steps), batchNorm: batchNorm)
  }

  private func values(_ network: Network) -> [[Float]] {
    network.store.state.map { $0.tensor.to(.float32).array() }
  }

  @Test(arguments: BatchNormMode.allCases) func theNetworkIsLeftAsItWas(_ mode: BatchNormMode)
    throws
  {
    let network = try network()
    let before = values(network)
    for isTraining in [true, false] {
      network.isTraining = isTraining
      _ = attack(batchNorm: mode).craft(on: network, batch: batch, streams: streams)
      #expect(network.isTraining == isTraining)
      #expect(network.store.statisticsMomentum == nil)
    }
    #expect(values(network) == before)
    #expect(network.store.parameters.allSatisfy { $0.grad == nil && $0.requiresGrad })
  }

  /// One step along the sign of the gradient that the network has in the mode in question.
  @Test(arguments: BatchNormMode.allCases) func theModeDecidesTheGradient(_ mode: BatchNormMode)
    throws
  {
    let network = try network()
    network.store.statisticsMomentum = 0
    network.isTraining = mode == .training
    let input = batch.images.clone()
    input.requiresGrad = true
    let loss = network.logits(input).crossEntropy(batch.labels, reduction: .sum)
    let direction = grad(of: loss, wrt: input).sign()
    network.store.statisticsMomentum = nil
    network.isTraining = true
    let pgd = PGD(threat: ThreatModel(epsilon: 0.1), steps: 1, stepSize: 0.01, start: .none)
    let images = TrainingAttack(pgd, batchNorm: mode)
      .craft(on: network, batch: batch, streams: streams)
    let expected = (batch.images + direction * 0.01).clamp(min: 0, max: 1)
    // Folding rounds otherwise, which can turn the sign of a gradient near 0.
    let differing = ((images - expected).abs() .> 1e-6).to(.float32).mean().item()
    #expect(differing < 0.02)
  }

  @Test func theTwoModesDiffer() throws {
    let images = try BatchNormMode.allCases.map {
      try attack(batchNorm: $0).craft(on: network(), batch: batch, streams: streams)
    }
    #expect((images[0] - images[1]).abs().max().item() > 0.01)
  }

  @Test(arguments: [Norm.linf, .l2]) func everyDefenseStaysInTheBall(_ norm: Norm) throws {
    let attack = attack(norm)
    let estimator = Estimator(
      EstimatorSpecification(units: 8, classCount: 3, channels: 1), stream: RandomStream(seed: 2))
    var worst = WMIM.Settings()
    worst.crafting = .mutualInformation
    let defenses: [any Defense] = [
      StandardAT(attack: attack), TRADES(attack: attack), MART(attack: attack),
      WMIM(attack: attack, estimator: estimator),
      WMIM(attack: attack, estimator: estimator, settings: worst),
    ]
    for defense in defenses {
      let network = try network()
      let images = try #require(
        defense.craft(on: network, batch: batch, streams: streams, epoch: 0))
      #expect(!images.requiresGrad)
      let size = attack.pgd.threat.size(of: images - batch.images)
      #expect(size.max().item() <= attack.pgd.threat.epsilon.value + 1e-5)
      #expect(size.min().item() > 0.5 * attack.pgd.threat.epsilon.value, "\(defense.name)")
      #expect(images.min().item() >= 0 && images.max().item() <= 1)
    }
  }

  @Test func tradesMaximisesTheDivergence() throws {
    let network = try network()
    let trades = TRADES(attack: attack(steps: 10))
    let images = try #require(
      trades.craft(on: network, batch: batch, streams: streams, epoch: 0))
    let other = try #require(
      StandardAT(attack: attack(steps: 10))
        .craft(on: network, batch: batch, streams: streams, epoch: 0))
    let values = network.frozen {
      withoutGrad {
        let natural = network.logits(batch.images)
        return [batch.images, images, other].map {
          divergence(from: natural, to: network.logits($0)).mean().item()
        }
      }
    }
    #expect(values[0] == 0)
    #expect(values[1] > values[2] && values[2] > 0, "\(values)")
  }

  @Test func theWorstCaseLowersTheInformation() throws {
    let network = try network()
    let estimator = Estimator(
      EstimatorSpecification(units: 8, classCount: 3, channels: 1), stream: RandomStream(seed: 2))
    ClosedForm.fill(estimator.store)
    var settings = WMIM.Settings()
    settings.crafting = .mutualInformation
    let defense = WMIM(attack: attack(steps: 5), estimator: estimator, settings: settings)
    let images = try #require(
      defense.craft(on: network, batch: batch, streams: streams, epoch: 0))
    let values = network.frozen {
      withoutGrad {
        [batch.images, images].map {
          estimator.standardLoss(patterns: $0, logits: network.logits($0)).item()
        }
      }
    }
    #expect(values[1] > values[0], "\(values)")
  }

  /// Three passes with momentum 0.1 are two with the weights of `reference`.
  @Test func referenceStatisticsOfTRADESAreThoseOfThreePasses() throws {
    var settings = TRADES.Settings()
    settings.statistics = .reference
    let network = try network()
    let defense = TRADES(attack: attack(), settings: settings)
    let images = try #require(
      defense.craft(on: network, batch: batch, streams: streams, epoch: 0))
    _ = defense.loss(of: network, batch: batch, attacked: images, epoch: 0)
    let copy = try self.network()
    for pass in [batch.images, images, batch.images] { withoutGrad { _ = copy.logits(pass) } }
    var compared = 0
    for ((name, a), (_, b)) in zip(network.store.state, copy.store.state)
    where name.contains("running_") {
      expectClose(a, b, rtol: 1e-4, atol: 1e-6, name)
      compared += 1
    }
    #expect(compared == 40)
  }
}
