import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct CostTests {
  let threat = ThreatModel(norm: .linf, epsilon: Fraction(8, over: 255))

  @Test(arguments: [(1, 1), (5, 1), (3, 4), (0, 2)])
  func aNetworkThatIsNeverFooledCostsEveryPass(_ steps: Int, _ restarts: Int) {
    let problem = LinearProblem(bias: 6)
    let observed = ObservedClassifier(problem.classifier)
    let result = PGD(threat: threat, steps: steps, start: .uniform, restarts: restarts).run(
      on: observed, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<5)))
    let cost = Cost(forwards: 1 + restarts * (steps + 1), backwards: restarts * steps)
    #expect(result.costs == [Cost](repeating: cost, count: 5))
    #expect(observed.imageCount == 5 * cost.forwards && observed.callCount == cost.forwards)
    #expect(observed.modes == [false])
  }

  @Test func aWrongImageCostsOneForward() {
    let problem = LinearProblem(bias: -6)
    let observed = ObservedClassifier(problem.classifier)
    let result = PGD(threat: threat, steps: 5, restarts: 3).run(
      on: observed, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<5)))
    #expect(result.costs == [Cost](repeating: Cost(forwards: 1), count: 5))
    #expect(result.fooled == [true, true, true, true, true] && observed.callCount == 1)
    expectIdentical(result.images, problem.images)
  }

  @Test func fooledSamplesLeaveTheWork() {
    let problem = CurvedProblem()
    let observed = ObservedClassifier(problem.classifier)
    var result = AttackResult(images: problem.images, fooled: [], costs: [])
    let calls = CallCounter.count {
      result = PGD(
        threat: ThreatModel(norm: .l2, epsilon: 0.5), steps: 8, start: .uniform, restarts: 3
      ).run(
        on: observed, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)))
    }
    // The ledger is what the network saw, and less than everything for everyone.
    let total = result.costs.reduce(Cost(), +)
    #expect(observed.imageCount == total.forwards)
    #expect(total.forwards < 64 * (1 + 3 * 9))
    #expect((1...3 * 9).contains(calls[.crossEntropyLoss]))
    for (cost, fooled) in zip(result.costs, result.fooled) {
      if fooled {
        #expect(cost.forwards < 1 + 3 * 9 || cost == Cost(forwards: 28, backwards: 24))
        // The iterate that fools is evaluated and not differentiated.
        let starts = (cost.forwards - 2) / 9 + 1
        #expect(
          cost.forwards == 1 ? cost.backwards == 0 : cost.backwards == cost.forwards - 1 - starts)
      } else {
        #expect(cost == Cost(forwards: 28, backwards: 24))
      }
    }
    #expect(Set(result.costs).count > 3)
  }

  @Test func costsAdd() {
    var cost = Cost(forwards: 1, backwards: 2)
    cost += Cost(forwards: 10, backwards: 20)
    #expect(cost == Cost(forwards: 11, backwards: 22) && Cost() + cost == cost)
  }

  @Test func noAttackCostsOneForward() {
    let problem = CurvedProblem(count: 9)
    let result = NoAttack().run(
      on: problem.classifier, images: problem.images, labels: problem.labels, streams: [])
    #expect(result.costs == [Cost](repeating: Cost(forwards: 1), count: 9))
    expectIdentical(result.images, problem.images)
    #expect(
      result.fooled == (problem.classifier.predictions(problem.images) .!= problem.labels).bools())
  }
}
