import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// A network that always says class 0 of ten, in that order.
func constantClassifier() -> ClosureClassifier {
  ClosureClassifier(classCount: 10) { images in
    Tensor((0..<10).map { Float(-$0) }, shape: [1, 10])
      + images.flatten(1).sum([1], keepdim: true) * 0
  }
}

@Suite(.serialized) struct APGDCostTests {
  let images = Tensor.full([2, 1, 2, 2], 0.5)

  func cost(_ attack: APGD, label: Int = 0) -> Cost {
    let observed = ObservedClassifier(constantClassifier())
    let result = attack.run(
      on: observed, images: images, labels: Tensor([label, label], shape: [2]),
      streams: streams([0, 1]))
    #expect(observed.imageCount == result.costs.map(\.forwards).reduce(0, +))
    #expect(result.costs[0] == result.costs[1])
    #expect(result.fooled == [label != 0, label != 0])
    return result.costs[0]
  }

  @Test func aNetworkThatIsNeverFooledCostsEveryPass() {
    for threat in APGDTests.threats {
      #expect(cost(APGD(.crossEntropy, threat: threat)) == Cost(forwards: 102, backwards: 100))
      #expect(
        cost(APGD(.dlr, threat: threat, steps: 7, restarts: 3, eot: 4))
          == Cost(forwards: 1 + 3 * 4 * 8, backwards: 3 * 4 * 7))
    }
    #expect(
      cost(APGD(.crossEntropy, threat: APGDTests.threats[2], restarts: 2, largerRadii: true))
        == Cost(forwards: 1 + 2 * 103, backwards: 200))
    // Nine targets, and none of the unattacked image's logits asked for again.
    #expect(
      cost(APGD(.targetedDLR, threat: APGDTests.threats[0], steps: 5, targets: 30))
        == Cost(forwards: 1 + 9 * 6, backwards: 45))
  }

  @Test func aWrongImageCostsOneForward() {
    for objective in APGD.Objective.allCases {
      #expect(cost(APGD(objective, threat: APGDTests.threats[0]), label: 3) == Cost(forwards: 1))
    }
  }

  @Test func fooledSamplesLeaveTheWork() {
    let problem = CurvedProblem()
    for threat in APGDTests.threats {
      let observed = ObservedClassifier(problem.classifier)
      let result = APGD(.crossEntropy, threat: threat, steps: 20, restarts: 2).run(
        on: observed, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)))
      let all = Cost(forwards: 43, backwards: 40)
      #expect(observed.imageCount == result.costs.map(\.forwards).reduce(0, +))
      for (cost, isFooled) in zip(result.costs, result.fooled) {
        if !isFooled { #expect(cost == all) }
        if isFooled && cost.forwards <= 22 {
          // The iterate that fools is evaluated and not differentiated.
          #expect(cost.backwards == max(cost.forwards - 2, 0))
        }
      }
      #expect(Set(result.costs).count >= 3)
    }
  }

  @Test func theStrongestImageIsSoughtWithTheWholeBudget() {
    let problem = CurvedProblem()
    for threat in APGDTests.threats {
      let attack = APGD(.crossEntropy, threat: threat, steps: 10)
      let strong = attack.run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)), goal: .strongest)
      #expect(strong.costs == [Cost](repeating: Cost(forwards: 12, backwards: 10), count: 64))
      let first = attack.run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)))
      func losses(_ images: Tensor) -> [Double] {
        AttackLoss.crossEntropy.values(problem.classifier.logits(images), problem.labels).doubles
      }
      let pairs = zip(losses(strong.images), losses(first.images))
      #expect(pairs.allSatisfy { $0 >= $1 - 1e-6 } && pairs.contains { $0 > $1 + 0.1 })
    }
  }

  @Test func theMeanOfSeveralDrawsDecides() {
    // After the first, every second evaluation errs by far, among them the last of two; the mean is right.
    var calls = 0
    let random = ClosureClassifier(classCount: 3) { images in
      calls += 1
      let shift: Float = calls > 1 && calls % 2 == 1 ? -8 : 9
      return Tensor([shift, 0, -1], shape: [1, 3]) + images.flatten(1).sum([1], keepdim: true) * 0
    }
    let labels = Tensor.zeros([2], dtype: .int64)
    for (eot, fools) in [(1, true), (2, false), (6, false)] {
      calls = 0
      let result = APGD(.crossEntropy, threat: APGDTests.threats[0], steps: 4, eot: eot).run(
        on: random, images: images, labels: labels, streams: streams([0, 1]))
      #expect(result.fooled == [fools, fools], "\(eot) draws")
    }
  }

  @Test func gradientsOfSeveralDrawsAreAveraged() {
    // Draws with slopes 3 and -1 in one direction: their mean is 1, whichever comes last.
    var calls = 0
    let random = ClosureClassifier(classCount: 2) { images in
      calls += 1
      let slope = calls % 2 == 0 ? 3.0 : -1
      let logit = images.flatten(1).sum([1], keepdim: true) * slope
      return .cat([logit + 20, logit.zerosLike()], dim: 1)
    }
    let threat = ThreatModel(norm: .linf, epsilon: 0.1)
    let result = APGD(.dlr, threat: threat, steps: 20, eot: 2).run(
      on: random, images: images, labels: .zeros([2], dtype: .int64), streams: streams([0, 1]))
    // A larger sum of the pixels raises the mean logit of the label: the strongest image is the darkest.
    expectClose(result.images, images - 0.1, rtol: 0, atol: 1e-6)
  }

  @Test func theNetworkIsLeftAsItWas() throws {
    let images = ClosedForm.picture([6, 1, 5, 6])
    let labels = Tensor([0, 1, 2, 0, 1, 2], shape: [6])
    for threat in APGDTests.threats {
      let network = SmallNetwork()
      network.isTraining = true
      let state = network.store.state.map { $0.tensor.detach().clone() }
      let before = images.clone()
      expectNoTensorLeak {
        _ = APGD(.targetedDLR, threat: threat, steps: 5, eot: 2).run(
          on: network, images: images, labels: labels, streams: streams(Array(0..<6)))
        _ = AutoAttack(threat: threat, steps: 3, queries: 4).run(
          on: network, images: images, labels: labels, streams: streams(Array(0..<6)))
      }
      #expect(network.isTraining && network.modes == [false])
      for ((name, tensor), old) in zip(network.store.state, state) {
        expectIdentical(tensor.detach(), old, name)
      }
      expectIdentical(images, before)
      #expect(network.store.parameters.allSatisfy { $0.requiresGrad && $0.grad == nil })
    }
  }
}
