import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// What every attack must keep to, for FAB.
@Suite(.serialized) struct FABLawTests {
  let threats = [
    ThreatModel(norm: .linf, epsilon: 0.05), ThreatModel(norm: .l2, epsilon: 0.15),
    ThreatModel(norm: .l1, epsilon: 0.4),
  ]

  // MARK: Costs

  @Test(arguments: [nil, 1, 3, 9]) func aNetworkThatIsNeverFooledCostsEveryPass(_ targets: Int?) {
    let problem = LinearClasses(count: 5)
    let label = Tensor([0, 0, 0, 0, 0], shape: [5])
    let safe = LinearClassifier(
      weight: problem.classifier.weight, bias: Tensor([Float(99), 0, 0, 0, 0], shape: [5]))
    for restarts in [1, 2] {
      let observed = ObservedClassifier(safe)
      let result = FAB(threat: threats[0], targets: targets, steps: 6, restarts: restarts).run(
        on: observed, images: problem.images, labels: label, streams: streams(Array(0..<5)))
      let rounds = restarts * (targets.map { min($0, 4) } ?? 1)
      let cost = Cost(
        forwards: 1 + rounds * 2 * 6, backwards: rounds * 6 * (targets == nil ? 4 : 1))
      #expect(result.costs == [Cost](repeating: cost, count: 5))
      #expect(observed.imageCount == 5 * cost.forwards && observed.callCount == cost.forwards)
      #expect(observed.modes == [false])
      #expect(result.distances == [Float](repeating: .infinity, count: 5))
    }
  }

  @Test func theLedgerIsWhatTheNetworkSaw() {
    let problem = CurvedProblem()
    for threat in threats {
      for targets in [nil, 2] {
        let observed = ObservedClassifier(problem.classifier)
        let result = FAB(threat: threat, targets: targets, steps: 8, restarts: 2).run(
          on: observed, images: problem.images, labels: problem.labels,
          streams: streams(Array(0..<64)))
        #expect(observed.imageCount == result.costs.reduce(Cost(), +).forwards)
        let clean = (problem.classifier.predictions(problem.images) .!= problem.labels).bools()
        for (cost, isWrong) in zip(result.costs, clean) {
          #expect((cost == Cost(forwards: 1)) == isWrong && cost.queries == 0)
        }
        #expect(Set(result.costs).count > 3)
      }
    }
  }

  // MARK: Constraints

  @Test(arguments: [[9, 1, 3, 4], [3, 3, 2, 9], [6, 1, 1, 1], [2, 4, 5, 1]])
  func resultsLieInBallAndBox(_ shape: [Int]) {
    let problem = CurvedProblem(count: shape[0], shape: Array(shape.dropFirst()))
    for threat in threats + Norm.allCases.map({ ThreatModel(norm: $0, epsilon: 30) }) {
      for images in Laws.hostileImages(problem) {
        for goal in [Goal.fool, .strongest] {
          let result = FAB(threat: threat, targets: 2, steps: 3, restarts: 2).run(
            on: problem.classifier, images: images, labels: problem.labels,
            streams: streams(Array(0..<shape[0])), goal: goal)
          Laws.expectFeasible(result, around: images, in: threat)
        }
      }
    }
  }

  @Test(arguments: Norm.allCases) func aBallOfNoSizeGivesTheImagesBack(_ norm: Norm) {
    let problem = CurvedProblem(count: 12)
    let clean = (problem.classifier.predictions(problem.images) .!= problem.labels).bools()
    for goal in [Goal.fool, .strongest] {
      let result = FAB(threat: ThreatModel(norm: norm, epsilon: 0), steps: 3, restarts: 2).run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<12)), goal: goal)
      expectIdentical(result.images, problem.images)
      #expect(result.fooled == clean)
    }
  }

  // MARK: Batches

  @Test func resultsDoNotDependOnBatchesOrOrder() {
    let problem = CurvedProblem(count: 24)
    for threat in threats {
      for targets in [nil, 2] {
        let attack = FAB(threat: threat, targets: targets, steps: 6, restarts: 2)
        func run(_ indices: [Int]) -> AttackResult {
          let rows = Tensor(indices, shape: [indices.count])
          return attack.run(
            on: problem.classifier, images: problem.images.indexSelect(rows),
            labels: problem.labels.indexSelect(rows), streams: streams(indices))
        }
        let whole = run(Array(0..<24))
        let orders = [Array(0..<24), RandomStream(seed: 1).permutation(24)]
        for (size, order) in [(1, orders[0]), (7, orders[1]), (24, orders[1])] {
          for first in stride(from: 0, to: 24, by: size) {
            let indices = Array(order[first..<min(first + size, 24)])
            let part = run(indices)
            #expect(part.fooled == indices.map { whole.fooled[$0] })
            #expect(part.costs == indices.map { whole.costs[$0] })
            #expect(part.distances == indices.compactMap { whole.distances?[$0] })
            expectIdentical(
              part.images, whole.images.indexSelect(Tensor(indices, shape: [indices.count])))
          }
        }
      }
    }
  }

  // MARK: Networks

  @Test func brokenNetworksAreEndured() {
    let problem = LinearProblem(count: 3, bias: 4)
    // Not a number beyond a plane, infinite beyond another, and a gradient that is never a number.
    let networks = [Double.nan, .infinity].map { value in
      ClosureClassifier(classCount: 2) { images in
        let logits = problem.classifier.logits(images)
        let isBeyond = logits.select(1, 1).unsqueeze(1) .< 3.5
        return logits.maskedFill(isBeyond, value)
      }
    }
    let rootless = ClosureClassifier(classCount: 2) { images in
      problem.classifier.logits(images)
        + (images.flatten(1).sum([1], keepdim: true) * 0).square().sqrt()
    }
    for threat in threats + Norm.allCases.map({ ThreatModel(norm: $0, epsilon: 9) }) {
      for network in networks + [rootless] {
        for targets in [nil, 1] {
          let result = FAB(threat: threat, targets: targets, steps: 5).run(
            on: network, images: problem.images, labels: problem.labels,
            streams: streams([0, 1, 2]), goal: .strongest)
          #expect(result.images.isfinite().all().bools() == [true])
          if threat.epsilon == 9 {
            #expect(result.fooled == [Bool](repeating: network !== rootless, count: 3))
          }
        }
      }
    }
  }

  @Test func networksStayAsTheyAre() {
    for threat in threats {
      for targets in [nil, 2] {
        let attack = FAB(threat: threat, targets: targets, steps: 3, restarts: 2)
        for goal in [Goal.fool, .strongest] {
          Laws.expectUntouched { network, images, labels in
            _ = attack.run(
              on: network, images: images, labels: labels, streams: streams(Array(0..<6)),
              goal: goal)
          }
        }
      }
    }
  }

  // MARK: Names

  @Test func settingsAreReadByName() throws {
    let threat = threats[2]
    let attacks = try AttackList.parse(
      "fab:restarts=5:alpha_max=0.2,fab-t:targets=3:steps=7:eta=1.1:beta=0.8,fab-t", threat: threat,
      among: [FAB.entry, FAB.targetedEntry])
    #expect(attacks.map(\.name) == ["fab", "fab-t", "fab-t"])
    #expect(attacks[0] as? FAB == FAB(threat: threat, restarts: 5, alphaMax: 0.2))
    #expect(
      attacks[1] as? FAB == FAB(threat: threat, targets: 3, steps: 7, eta: 1.1, beta: 0.8))
    #expect(attacks[2] as? FAB == FAB(threat: threat, targets: 9))
    #expect(attacks[0].record["targets"] == .null && attacks[1].record["targets"] == 3)
    // A setting that makes it the other attack also gives it the other name.
    let targeted = try AttackList.parse("fab:targets=3", threat: threat, among: [FAB.entry])
    #expect(targeted[0].name == "fab-t")
  }

  @Test func fewClassesMeanFewTargets() {
    #expect(FAB(threat: threats[0], targets: 9).fallback(classCount: 3) == "2 targets instead of 9")
    #expect(FAB(threat: threats[0], targets: 9).fallback(classCount: 10) == nil)
    #expect(FAB(threat: threats[0]).fallback(classCount: 2) == nil)
  }
}
