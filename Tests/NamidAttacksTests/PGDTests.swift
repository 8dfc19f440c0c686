import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct PGDTests {
  let threats = [
    ThreatModel(norm: .linf, epsilon: Fraction(8, over: 255)),
    ThreatModel(norm: .l2, epsilon: 0.5),
  ]

  // MARK: What is reached

  @Test func theExactOptimumOfALinearClassifierIsReached() {
    for (norm, epsilon, dual) in [(Norm.linf, 0.1, 1.0), (.l2, 0.3, 2.0)] {
      // A bias that keeps every sample right: then the strongest image counts, not the first that fools.
      let problem = LinearProblem(bias: 6)
      for start in Start.allCases {
        let attack = PGD(
          threat: ThreatModel(norm: norm, epsilon: Fraction(epsilon)), steps: 60, start: start)
        let result = attack.run(
          on: problem.classifier, images: problem.images, labels: problem.labels,
          streams: streams(Array(0..<5)))
        #expect(result.fooled == [false, false, false, false, false])
        let expected =
          problem.margins(problem.images) - problem.weight.norm(dual).item() * epsilon
        expectClose(problem.margins(result.images), expected, rtol: 1e-5, "\(norm) \(start)")
      }
    }
  }

  @Test func aSampleIsFooledExactlyWhenItsMarginIsInReach() {
    for (norm, dual) in [(Norm.linf, 1.0), (.l2, 2.0)] {
      let problem = LinearProblem(count: 40, bias: 3.5)
      let margins = problem.margins(problem.images).doubles
      let length = problem.weight.norm(dual).item()
      // A radius that reaches half of them.
      let sorted = margins.sorted()
      let epsilon = (sorted[19] + sorted[20]) / 2 / length
      #expect(sorted[0] > 0 && sorted[20] - sorted[19] > 1e-3)
      let attack = PGD(
        threat: ThreatModel(norm: norm, epsilon: Fraction(epsilon)), steps: 20, start: .none)
      let result = attack.run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<40)))
      #expect(result.fooled == margins.map { $0 < epsilon * length })
    }
  }

  // MARK: Constraints

  @Test(arguments: [[64, 1, 3, 4], [7, 3, 2, 9], [1, 3, 5, 2]])
  func resultsLieInBallAndBox(_ shape: [Int]) {
    let problem = CurvedProblem(count: shape[0], shape: Array(shape.dropFirst()))
    for threat in threats + [
      ThreatModel(norm: .linf, epsilon: 1), ThreatModel(norm: .l2, epsilon: 20),
    ] {
      for start in Start.allCases {
        let attack = PGD(threat: threat, steps: 5, start: start, restarts: 2)
        let samples = streams(Array(0..<shape[0]))
        let result = attack.run(
          on: problem.classifier, images: problem.images, labels: problem.labels, streams: samples)
        let crafted = attack.craft(
          on: problem.classifier, images: problem.images, labels: problem.labels,
          streams: RandomStreams(samples))
        for images in [result.images, crafted] {
          #expect(images.shape == shape && images.dtype == .float32 && !images.requiresGrad)
          #expect(images.min().item() >= 0 && images.max().item() <= 1)
          let sizes = threat.size(of: images - problem.images).doubles
          #expect(sizes.allSatisfy { $0 <= threat.epsilon.value * (1 + 1e-5) + 1e-7 })
        }
        #expect(result.fooled.count == shape[0] && result.costs.count == shape[0])
      }
    }
  }

  @Test func aBallOfNoSizeGivesTheImagesBack() {
    let problem = CurvedProblem(count: 12)
    let clean = NoAttack().run(
      on: problem.classifier, images: problem.images, labels: problem.labels, streams: [])
    for norm in [Norm.linf, .l2] {
      for start in Start.allCases {
        let attack = PGD(threat: ThreatModel(norm: norm, epsilon: 0), steps: 3, start: start)
        let samples = streams(Array(0..<12))
        let result = attack.run(
          on: problem.classifier, images: problem.images, labels: problem.labels, streams: samples)
        expectIdentical(result.images, problem.images)
        #expect(result.fooled == clean.fooled)
        expectIdentical(
          attack.craft(
            on: problem.classifier, images: problem.images, labels: problem.labels,
            streams: RandomStreams(samples)),
          problem.images)
      }
    }
  }

  @Test func fooledMeansThatTheNetworkErrs() {
    let problem = CurvedProblem()
    for threat in threats {
      let result = PGD(threat: threat, steps: 10, start: .uniform, restarts: 2).run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)))
      let wrong = (problem.classifier.predictions(result.images) .!= problem.labels).bools()
      #expect(wrong == result.fooled)
      // The problem has samples of all kinds.
      let clean = (problem.classifier.predictions(problem.images) .!= problem.labels).bools()
      #expect(clean.contains(true) && result.fooled.contains(false))
      #expect(zip(clean, result.fooled).contains { !$0 && $1 })
      for (i, isWrong) in clean.enumerated() where isWrong {
        expectIdentical(result.images.select(0, i), problem.images.select(0, i))
      }
    }
  }

  @Test func anImageWithoutAUsableGradientStaysAnImage() {
    let problem = LinearProblem(count: 3, bias: 4)
    let classifier = UndefinedGradient(problem.classifier)
    for threat in threats {
      let result = PGD(threat: threat, steps: 3, start: .none).run(
        on: classifier, images: problem.images, labels: problem.labels, streams: streams([0, 1, 2]))
      #expect(result.images.isfinite().all().bools() == [true])
      #expect(result.fooled == [false, false, false])
    }
  }

  /// The same logits with a gradient that is not a number.
  final class UndefinedGradient: Classifier {
    let base: LinearClassifier
    var isTraining = false
    var classCount: Int { base.classCount }
    init(_ base: LinearClassifier) { self.base = base }
    func logits(_ images: Tensor) -> Tensor {
      base.logits(images) + (images.flatten(1).sum([1], keepdim: true) * 0).square().sqrt()
    }
  }

  // MARK: More work never hurts

  @Test func moreStepsFoolNoFewer() {
    let problem = CurvedProblem()
    for threat in threats {
      var before = [Bool](repeating: false, count: 64)
      for steps in [1, 2, 5, 10, 20] {
        let result = PGD(threat: threat, steps: steps).run(
          on: problem.classifier, images: problem.images, labels: problem.labels,
          streams: streams(Array(0..<64)))
        #expect(zip(before, result.fooled).allSatisfy { !$0 || $1 })
        before = result.fooled
      }
    }
  }

  @Test func moreRestartsFoolNoFewer() {
    let problem = CurvedProblem()
    var before = [Bool](repeating: false, count: 64)
    var losses = [Double](repeating: -.infinity, count: 64)
    for restarts in [1, 2, 4, 8] {
      let result = PGD(threat: threats[1], steps: 1, start: .uniform, restarts: restarts).run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)))
      #expect(zip(before, result.fooled).allSatisfy { !$0 || $1 })
      let loss = problem.classifier.logits(result.images)
        .crossEntropy(problem.labels, reduction: .none).doubles
      // The image kept of a survivor is the strongest so far.
      for i in 0..<64 where !result.fooled[i] { #expect(loss[i] >= losses[i] - 1e-6) }
      // Another start is another chance.
      if restarts > 1 { #expect(zip(loss, losses).contains { $0 > $1 + 1e-4 }) }
      (before, losses) = (result.fooled, loss)
    }
  }

  @Test func survivorsKeepTheirStrongestImage() {
    // Steps so long that the last iterate is not the best.
    let problem = CurvedProblem()
    let threat = ThreatModel(norm: .linf, epsilon: 0.02)
    let indices = Array(0..<64)
    let result = PGD(threat: threat, steps: 7, stepSize: 0.04, start: .uniform).run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(indices))
    func losses(_ images: Tensor) -> [Double] {
      problem.classifier.logits(images).crossEntropy(problem.labels, reduction: .none).doubles
    }
    let best = losses(result.images)
    for steps in 0...7 {
      let iterate = PGD(threat: threat, steps: steps, stepSize: 0.04, start: .uniform).craft(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: craftingStreams(indices))
      let found = losses(iterate)
      for i in indices where !result.fooled[i] { #expect(best[i] >= found[i] - 1e-6) }
    }
  }

  // MARK: Batches

  @Test func verdictsDoNotDependOnBatchesOrOrder() {
    let problem = CurvedProblem()
    for threat in threats {
      let attack = PGD(threat: threat, steps: 6, start: .uniform, restarts: 2)
      func run(_ indices: [Int]) -> AttackResult {
        let rows = Tensor(indices, shape: [indices.count])
        return attack.run(
          on: problem.classifier, images: problem.images.indexSelect(rows),
          labels: problem.labels.indexSelect(rows), streams: streams(indices))
      }
      let whole = run(Array(0..<64))
      let orders = [Array(0..<64), RandomStream(seed: 1).permutation(64)]
      for (size, order) in [(1, orders[0]), (7, orders[0]), (7, orders[1]), (64, orders[1])] {
        for first in stride(from: 0, to: 64, by: size) {
          let indices = Array(order[first..<min(first + size, 64)])
          let part = run(indices)
          #expect(part.fooled == indices.map { whole.fooled[$0] })
          #expect(part.costs == indices.map { whole.costs[$0] })
          expectClose(
            part.images, whole.images.indexSelect(Tensor(indices, shape: [indices.count])),
            rtol: 0, atol: 1e-5)
        }
      }
    }
  }
}
