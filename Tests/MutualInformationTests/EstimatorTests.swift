import NeuralNetworks
import TestSupport
import Testing
import Torch

@testable import MutualInformation

@Suite(.serialized) struct EstimatorTests {
  let specification = EstimatorSpecification(units: 8, classCount: 3, channels: 1)
  let images = ClosedForm.picture([4, 1, 8, 8])
  let attacked = (ClosedForm.picture([4, 1, 8, 8]) * 0.9 + 0.05)
  let natural = ClosedForm.tensor("natural", [4, 3], scale: 2)
  let adversarial = ClosedForm.tensor("adversarial", [4, 3], scale: 2)

  func pair() -> EstimatorPair {
    let pair = EstimatorPair(specification, stream: RandomStream(seed: 1))
    ClosedForm.fill(pair.natural.store)
    ClosedForm.fill(pair.adversarial.store)
    return pair
  }

  @Test func bothEncodersAreRegistered() {
    let estimator = Estimator(specification, stream: RandomStream(seed: 0))
    let names = estimator.store.entries.map(\.name)
    #expect(names.filter { $0.hasPrefix("local.") }.count == 23)
    #expect(names.filter { $0.hasPrefix("global.") }.count == 11)
    #expect(names.count == 34)
  }

  @Test func theTwoEstimatorsBeginDifferently() {
    let pair = EstimatorPair(specification, stream: RandomStream(seed: 1))
    let weights = [pair.natural, pair.adversarial].map { $0.store.entries[0].tensor.floats() }
    #expect(weights[0] != weights[1])
  }

  @Test func anchorsGiveTheSameLosses() {
    let estimator = pair().natural
    let features = estimator.features(of: images)
    #expect(features.shape == [4, 4, 8])
    let all = estimator.losses(features, logits: natural)
    #expect(all.shape == [4, 4])
    let anchors = Tensor([3, 1], shape: [2])
    let some = estimator.losses(features, logits: natural, anchors: anchors)
    expectClose(some, all.indexSelect(anchors), rtol: 1e-5, atol: 1e-6)
  }

  @Test func measuredValuesAreMinusTheMeanLosses() {
    let pair = pair()
    pair.freeze()
    let values = pair.measure(
      images: images, attacked: attacked, naturalLogits: natural, adversarialLogits: adversarial)
    func expected(_ estimator: Estimator, _ pattern: Tensor, _ logits: Tensor) -> [Float] {
      (-estimator.losses(estimator.features(of: pattern), logits: logits).mean([1])).floats()
    }
    let noise = attacked - images
    expectClose(values.naturalOfNatural, expected(pair.natural, images, natural))
    expectClose(values.naturalOfAdversarial, expected(pair.natural, images, adversarial))
    expectClose(values.adversarialOfNatural, expected(pair.adversarial, noise, natural))
    expectClose(values.adversarialOfAdversarial, expected(pair.adversarial, noise, adversarial))
    let lists = [
      values.naturalOfNatural, values.naturalOfAdversarial, values.adversarialOfNatural,
      values.adversarialOfAdversarial,
    ]
    #expect(Set(lists).count == 4)

    var twice = values
    twice.append(values)
    #expect(twice.naturalOfAdversarial == values.naturalOfAdversarial + values.naturalOfAdversarial)
    #expect(twice.adversarialOfNatural.count == 8)
  }

  @Test func freezingStopsGradientsAndStatistics() {
    let pair = pair()
    pair.isTraining = true
    #expect(pair.natural.store.isTraining && pair.adversarial.store.isTraining)
    pair.freeze()
    #expect(!pair.isTraining)
    let before = pair.natural.store.state.map { $0.tensor.clone() }
    let logits = natural.clone()
    logits.requiresGrad = true
    pair.natural.losses(pair.natural.features(of: images), logits: logits).sum().backward()
    #expect(logits.grad != nil)
    #expect(pair.natural.store.parameters.allSatisfy { $0.grad == nil && !$0.requiresGrad })
    for ((name, tensor), old) in zip(pair.natural.store.state, before) {
      expectIdentical(tensor, old, name)
    }
  }

  @Test(arguments: EstimatorObjective.allCases)
  func trainingLossesReachEveryParameter(_ objective: EstimatorObjective) throws {
    let pair = pair()
    pair.isTraining = true
    // Samples 0 and 1 are flipped, 2 is robust, 3 is wrong already.
    let right: [Float] = [2, 0, 1]
    let wrong: [Float] = [0, 3, 1]
    let losses = pair.trainingLosses(
      images: images, attacked: attacked, labels: .zeros([4], dtype: .int64),
      naturalLogits: Tensor(right + right + right + wrong, shape: [4, 3]),
      adversarialLogits: Tensor(wrong + [1, 2, 0] + right + wrong, shape: [4, 3]),
      objective: objective)
    #expect(losses.selection.flipped.ints() == [0, 1] && losses.selection.robust.ints() == [2])
    for (estimator, loss) in [
      (pair.natural, losses.natural), (pair.adversarial, losses.adversarial),
    ] {
      try #require(loss).backward()
      for entry in estimator.store.entries where entry.isTrainable {
        let gradient = try #require(entry.tensor.grad, "\(entry.name)")
        #expect(gradient.isfinite().all().bools() == [true], "\(entry.name)")
      }
    }
  }

  @Test func trainingRaisesTheEstimate() {
    let pair = EstimatorPair(specification, stream: RandomStream(seed: 3))
    pair.isTraining = true
    let optimizer = Adam(pair.natural.store)
    func loss() -> Tensor {
      pair.natural.losses(pair.natural.features(of: images), logits: natural).mean()
    }
    let before = withoutGrad { loss().item() }
    for _ in 0..<20 {
      pair.natural.store.zeroGrad()
      loss().backward()
      optimizer.step(learningRate: 1e-3)
    }
    #expect(withoutGrad { loss().item() } < before - 0.1)
  }
}
