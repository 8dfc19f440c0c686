import NamidAttacks
import NamidInformation
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidDefenses

@Suite(.serialized) struct WeightPerturbationTests {
  private let batch = Batch(
    images: ClosedForm.picture([6, 1, 8, 8]), labels: Tensor([0, 1, 2, 0, 1, 2], shape: [6]),
    indices: Array(0..<6))

  private func network() throws -> Network {
    let network = try Network(
      NetworkSpecification(
        architecture: "resnet18", width: 2, classCount: 3, channels: 1, imageHeight: 8,
        imageWidth: 8), stream: RandomStream(seed: 4))
    network.isTraining = true
    return network
  }

  private func values(_ store: ParameterStore) -> [String: [Float]] {
    Dictionary(
      uniqueKeysWithValues: store.state.map { ($0.name, $0.tensor.to(.float32).array()) })
  }

  private func length(_ values: [Float]) -> Double {
    values.reduce(0) { $0 + Double($1 * $1) }.squareRoot()
  }

  @Test func weightsMoveByTheirShareUpTheLossAndBack() throws {
    let network = try network()
    let loss = { network.logits(batch.images).crossEntropy(batch.labels) }
    let before = values(network.store)
    network.store.statisticsMomentum = 0
    let first = withoutGrad { loss().item() }
    let applied = try #require(
      WeightPerturbation().applied(to: network.store, epoch: 0, loss: loss))
    let during = values(network.store)
    var moved = 0
    for entry in network.store.entries {
      let (old, new) = (before[entry.name] ?? [], during[entry.name] ?? [])
      if entry.isTrainable && entry.tensor.rank >= 2 {
        let share = length(zip(new, old).map { $0 - $1 }) / length(old)
        #expect(abs(share - 0.01) < 1e-4, "\(entry.name) \(share)")
        moved += 1
      } else {
        #expect(old == new, "\(entry.name)")
      }
    }
    #expect(moved == 21)
    #expect(network.store.parameters.allSatisfy { $0.grad == nil })
    #expect(withoutGrad { loss().item() } > first)
    applied.remove()
    for (name, old) in before {
      let worst = zip(old, values(network.store)[name] ?? []).map { abs($0 - $1) }.max() ?? 0
      #expect(worst < 1e-6, "\(name)")
    }
  }

  @Test func statisticsOfAllStoresStay() throws {
    let network = try network()
    let estimator = Estimator(
      EstimatorSpecification(units: 8, classCount: 3, channels: 1), stream: RandomStream(seed: 2))
    var settings = WMIM.Settings()
    settings.mode = .joint
    let attack = TrainingAttack(PGD(threat: ThreatModel(epsilon: 0.1), steps: 1))
    let defense = WMIM(attack: attack, estimator: estimator, settings: settings)
    estimator.store.isTraining = true
    let before = values(estimator.store)
    let statistics = values(network.store).filter { $0.key.contains("running_") }
    let compute = {
      defense.loss(of: network, batch: batch, attacked: batch.images, epoch: 0).total
    }
    let applied = WeightPerturbation().applied(
      to: network.store, keeping: defense.companions.map(\.store), epoch: 0, loss: compute)
    #expect(applied != nil)
    #expect(values(estimator.store) == before)
    #expect(values(network.store).filter { $0.key.contains("running_") } == statistics)
    // The pass would have moved them.
    _ = compute()
    #expect(values(estimator.store) != before)
  }

  @Test func warmUpAndNothingToAddAreNoPerturbation() throws {
    let network = try network()
    var settings = WeightPerturbation.Settings()
    settings.warmUpEpochs = 2
    var asked = 0
    let loss = {
      asked += 1
      return network.logits(batch.images).crossEntropy(batch.labels)
    }
    let perturbation = WeightPerturbation(settings)
    #expect(perturbation.applied(to: network.store, epoch: 1, loss: loss) == nil)
    #expect(asked == 0)
    #expect(perturbation.applied(to: network.store, epoch: 2, loss: loss) != nil)
    settings = WeightPerturbation.Settings()
    settings.gamma = 0
    #expect(WeightPerturbation(settings).applied(to: network.store, epoch: 0, loss: loss) == nil)
  }

  @Test func defaultsGoWithTheDefense() {
    #expect(WeightPerturbation().gamma == 0.01)
    #expect(WeightPerturbation().warmUpEpochs == 0)
    let trades = WeightPerturbation(defaults: .trades)
    #expect(trades.gamma == 0.005 && trades.warmUpEpochs == 10)
    var settings = WeightPerturbation.Settings()
    settings.gamma = 0.02
    #expect(WeightPerturbation(settings, defaults: .trades).gamma == 0.02)
    for entry in DefenseEntry.all {
      let isTrades = ["trades", "namid-t"].contains(entry.name)
      #expect(entry.weightPerturbation == (isTrades ? .trades : .usual), "\(entry.name)")
    }
  }
}
