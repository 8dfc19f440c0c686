import Foundation
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidInformation

@Suite(.serialized) struct SampleEstimatorTests {
  /// A quick estimator: small batches and a short training.
  func quick(_ bound: InformationBound, critic: CriticKind = .joint) -> SampleEstimator {
    var estimator = SampleEstimator(bound)
    estimator.batchSize = 64
    estimator.hidden = [16, 8]
    estimator.learningRate = 1e-2
    estimator.steps = 400
    estimator.interval = 50
    estimator.critic = critic
    return estimator
  }

  @Test(arguments: ["infonce", "dv", "mine", "nwj", "smile"])
  func correlatedPairsGiveTheirInformation(_ name: String) throws {
    let bound = try #require(InformationBound.all.first { $0.name == name })
    let pairs = GaussianPairs(correlation: 0.9)
    let (x, z) = pairs.sample(4000, RandomStream(seed: 1))
    let estimate = quick(bound).estimate(x, z)
    let truth = GaussianInformation.ofCorrelation(0.9)
    #expect(abs(estimate.nats - truth) < 0.12, "\(name): \(estimate.nats) of \(truth)")
    #expect(estimate.heldOut == 1200 && estimate.validated == 800 && estimate.trained == 2000)
    #expect(estimate.standardError.map { $0 > 0 && $0 < 0.1 } == true)
    #expect(estimate.estimator == name && estimate.kind == bound.kind)
  }

  @Test(arguments: ["infonce", "dv", "nwj", "jsd", "club"])
  func independentPairsGiveNone(_ name: String) throws {
    let bound = try #require(InformationBound.all.first { $0.name == name })
    let (x, _) = GaussianPairs(correlation: 0).sample(4000, RandomStream(seed: 2))
    let (_, z) = GaussianPairs(correlation: 0).sample(4000, RandomStream(seed: 3))
    let estimate = quick(bound).estimate(x, z)
    #expect(abs(estimate.nats) < 0.05, "\(name): \(estimate.nats)")
  }

  @Test func aSeparableCriticSeesLess() {
    let (x, z) = GaussianPairs(correlation: 0.9).sample(4000, RandomStream(seed: 4))
    let estimate = quick(.infoNCE, critic: .separable).estimate(x, z)
    #expect(estimate.nats > 0.4 && estimate.nats < 0.95)
  }

  @Test func clubIsAboveTheInformation() {
    let (x, z) = GaussianPairs(correlation: 0.75).sample(4000, RandomStream(seed: 5))
    let estimate = quick(.club).estimate(x, z)
    // With the right model it is 1.286, three times the information.
    #expect(estimate.nats > 0.9 && estimate.nats < 1.7 && estimate.kind == .upper)
  }

  @Test func theSameSeedGivesTheSameNumber() {
    let (x, z) = GaussianPairs(correlation: 0.5).sample(1000, RandomStream(seed: 6))
    var estimator = quick(.infoNCE)
    estimator.steps = 60
    let first = estimator.estimate(x, z)
    #expect(estimator.estimate(x, z).nats == first.nats)
    estimator.seed = 1
    #expect(estimator.estimate(x, z).nats != first.nats)
  }

  @Test func trainingStopsWhenNothingImproves() {
    let (x, _) = GaussianPairs(correlation: 0).sample(1000, RandomStream(seed: 7))
    let (_, z) = GaussianPairs(correlation: 0).sample(1000, RandomStream(seed: 8))
    var estimator = quick(.infoNCE)
    (estimator.steps, estimator.interval, estimator.patience) = (4000, 20, 3)
    var looks: [Int] = []
    let estimate = estimator.estimate(x, z) { looks.append($0.step) }
    #expect(estimate.steps < 1000 && estimate.steps == looks.last)
    #expect(estimate.curve.map(\.step) == looks)
    let best = estimate.curve.max { $0.nats < $1.nats }
    #expect(best.map { estimate.steps - $0.step } == 60)
  }

  @Test func fewRowsAreEnoughAndFewerAreKnown() {
    var estimator = quick(.infoNCE)
    estimator.steps = 5
    #expect(estimator.fewestSamples == 320)
    let (x, z) = GaussianPairs(correlation: 0.5).sample(320, RandomStream(seed: 9))
    let estimate = estimator.estimate(x, z)
    #expect(estimate.nats.isFinite && estimate.cap == log(64))
  }

  @Test func scoresOfPairsAreThoseOfEachPair() {
    let (x, z) = (ClosedForm.tensor("x", [5, 3]), ClosedForm.tensor("z", [4, 2]))
    for kind in CriticKind.allCases {
      let critic = kind.make(x: 3, z: 2, hidden: [7, 4], stream: RandomStream(seed: 1))
      let all = critic.scores(x, z)
      #expect(all.shape == [5, 4])
      expectClose(
        critic.scores(x.slice(2..<3), z.slice(1..<2)), all.slice(2..<3).slice(1..<2, dim: 1))
    }
  }

  @Test func conditionalScoresAreLogDensities() {
    let critic = ConditionalGaussian(x: 2, z: 3, hidden: [6], stream: RandomStream(seed: 2))
    let (x, z) = (ClosedForm.tensor("x", [2, 2]), ClosedForm.tensor("z", [2, 3]))
    let scores = critic.scores(x, z)
    // Differences of log densities of one x: the normalisation over z must not depend on z.
    let shifted = critic.scores(x, z + 100)
    #expect(scores.floats().allSatisfy { $0.isFinite } && shifted.max().item() < -100)
    #expect(scores.requiresGrad)
  }
}
