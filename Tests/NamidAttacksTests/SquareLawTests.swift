import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// What Square reaches, what it costs, and what every attack must keep to.
@Suite(.serialized) struct SquareLawTests {
  let threats = [
    ThreatModel(norm: .linf, epsilon: 0.05), ThreatModel(norm: .l2, epsilon: 0.2),
    ThreatModel(norm: .l1, epsilon: 0.6),
  ]

  // MARK: What is reached

  @Test func theExactOptimumOfALinearClassifierIsReached() {
    let problem = LinearProblem(bias: 6)
    let result = Square(threat: ThreatModel(norm: .linf, epsilon: 0.1), queries: 600).run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<5)))
    #expect(result.fooled == [false, false, false, false, false] && result.distances == nil)
    expectClose(
      problem.margins(result.images),
      problem.margins(problem.images) - problem.weight.abs().sum().item() * 0.1, rtol: 1e-5)
  }

  @Test func aSampleIsFooledExactlyWhenItsMarginIsInReach() {
    let problem = LinearProblem(count: 40, bias: 3.5)
    let margins = problem.margins(problem.images).doubles
    let length = problem.weight.abs().sum().item()
    let sorted = margins.sorted()
    let epsilon = (sorted[19] + sorted[20]) / 2 / length
    let result = Square(
      threat: ThreatModel(norm: .linf, epsilon: Fraction(epsilon)), queries: 1000
    ).run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<40)))
    #expect(result.fooled == margins.map { $0 < epsilon * length })
  }

  @Test(arguments: [Norm.l2, .l1]) func marginsComeNearTheOptimum(_ norm: Norm) {
    // What no attack can do better, as far as room allows: ε times the dual norm.
    let problem = LinearProblem(count: 4, shape: [1, 6, 6], bias: 8)
    let threat = ThreatModel(norm: norm, epsilon: 0.3)
    let length = problem.weight.norm(norm.dual).item() * 0.3
    let clean = problem.margins(problem.images)
    let result = Square(threat: threat, queries: 400).run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<4)))
    let gains = (clean - problem.margins(result.images)).doubles
    for gain in gains { #expect(gain > 0.45 * length && gain <= length * (1 + 1e-5)) }
  }

  // MARK: Costs

  @Test(arguments: [(0, 1), (30, 1), (20, 3)]) func aNetworkThatIsNeverFooledCostsEveryQuery(
    _ queries: Int, _ restarts: Int
  ) {
    let problem = LinearProblem(bias: 60)
    for threat in threats {
      let observed = ObservedClassifier(problem.classifier)
      let result = Square(threat: threat, queries: queries, restarts: restarts).run(
        on: observed, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<5)))
      #expect(observed.imageCount == result.costs.reduce(Cost(), +).forwards)
      #expect(observed.modes == [false])
      let most = restarts * (1 + queries)
      for cost in result.costs {
        #expect(cost.forwards == 1 + cost.queries && cost.backwards == 0)
        // In L∞ some windows already have the signs that are drawn.
        if threat.norm == .linf {
          #expect(cost.queries <= most && cost.queries > most * 4 / 10)
        } else {
          #expect(cost.queries == most)
        }
      }
    }
  }

  @Test func proposalsThatChangeNothingAreNotAsked() {
    // One pixel has two images: the better one is asked about once, the other as often as it is drawn.
    for sample in 0..<6 {
      let problem = LinearProblem(count: 6, shape: [1, 1, 1], bias: 60)
      var seen: [Float] = []
      let network = ClosureClassifier(classCount: 2) { images in
        seen += images.floats()
        return problem.classifier.logits(images)
      }
      let result = Square(threat: threats[0], queries: 50).run(
        on: network, images: problem.images.slice(sample..<sample + 1),
        labels: problem.labels.slice(0..<1), streams: streams([sample]))
      let better: FloatingPointSign = problem.weight.item() > 0 ? .minus : .plus
      let asked = seen.dropFirst().map { ($0 - seen[0]).sign }
      #expect(asked.count { $0 == better } == 1)
      #expect(result.costs[0].queries == asked.count && asked.count > 10 && asked.count < 42)
    }
  }

  @Test func fooledSamplesLeaveTheWork() {
    let problem = CurvedProblem()
    for threat in threats {
      let observed = ObservedClassifier(problem.classifier)
      let result = Square(threat: threat, queries: 40, restarts: 2).run(
        on: observed, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)))
      let total = result.costs.reduce(Cost(), +)
      #expect(observed.imageCount == total.forwards && total.queries == total.forwards - 64)
      let clean = (problem.classifier.predictions(problem.images) .!= problem.labels).bools()
      for i in 0..<64 {
        #expect((result.costs[i].queries == 0) == clean[i])
        if result.costs[i].queries < 30 { #expect(result.fooled[i]) }
      }
      #expect(result.fooled.contains(false) && Set(result.costs).count > 3)
      let wrong = (problem.classifier.predictions(result.images) .!= problem.labels).bools()
      #expect(wrong == result.fooled)
    }
  }

  @Test func theStrongestImageTakesTheWholeBudget() {
    let problem = CurvedProblem()
    for threat in threats {
      let attack = Square(threat: threat, queries: 40)
      func run(_ goal: Goal) -> AttackResult {
        attack.run(
          on: problem.classifier, images: problem.images, labels: problem.labels,
          streams: streams(Array(0..<64)), goal: goal)
      }
      let (early, whole) = (run(.fool), run(.strongest))
      #expect(whole.fooled == early.fooled)
      // In L∞ some windows already have the signs that are drawn.
      let least = threat.norm == .linf ? 10 : 41
      #expect(whole.costs.allSatisfy { $0.queries >= least && $0.queries <= 41 })
      func margins(_ result: AttackResult) -> [Double] {
        AttackLoss.margin.values(problem.classifier.logits(result.images), problem.labels).doubles
      }
      #expect(zip(margins(whole), margins(early)).allSatisfy { $0 >= $1 })
      #expect(zip(margins(whole), margins(early)).contains { $0 > $1 })
    }
  }

  // MARK: Constraints

  @Test(arguments: [[9, 1, 3, 4], [3, 3, 2, 9], [6, 1, 1, 1], [2, 4, 12, 6]])
  func resultsLieInBallAndBox(_ shape: [Int]) {
    let problem = CurvedProblem(count: shape[0], shape: Array(shape.dropFirst()))
    for threat in threats + Norm.allCases.map({ ThreatModel(norm: $0, epsilon: 30) }) {
      for images in Laws.hostileImages(problem) {
        let result = Square(threat: threat, queries: 8).run(
          on: problem.classifier, images: images, labels: problem.labels,
          streams: streams(Array(0..<shape[0])), goal: .strongest)
        Laws.expectFeasible(result, around: images, in: threat, slack: 2e-6)
      }
    }
  }

  @Test(arguments: Norm.allCases) func aBallOfNoSizeGivesTheImagesBack(_ norm: Norm) {
    let problem = CurvedProblem(count: 12)
    let result = Square(threat: ThreatModel(norm: norm, epsilon: 0), queries: 9, restarts: 2).run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<12)), goal: .strongest)
    expectIdentical(result.images, problem.images)
    #expect(result.costs == [Cost](repeating: Cost(forwards: 1), count: 12))
  }

  // MARK: More work, batches

  @Test func moreWorkFoolsNoFewer() {
    let problem = CurvedProblem()
    for threat in threats {
      for attacks in [
        [0, 5, 25, 60].map { Square(threat: threat, queries: $0) },
        [1, 2, 4].map { Square(threat: threat, queries: 5, restarts: $0) },
      ] {
        var before = [Double](repeating: -.infinity, count: 64)
        var fooled = [Bool](repeating: false, count: 64)
        for attack in attacks {
          let result = attack.run(
            on: problem.classifier, images: problem.images, labels: problem.labels,
            streams: streams(Array(0..<64)))
          #expect(zip(fooled, result.fooled).allSatisfy { !$0 || $1 })
          let margins = AttackLoss.margin.values(
            problem.classifier.logits(result.images), problem.labels
          ).doubles
          #expect(zip(margins, before).allSatisfy { $0 >= $1 })
          #expect(zip(margins, before).contains { $0 > $1 })
          (before, fooled) = (margins, result.fooled)
        }
      }
    }
  }

  @Test func resultsDoNotDependOnBatchesOrOrder() {
    let problem = CurvedProblem(count: 24)
    for threat in threats {
      let attack = Square(threat: threat, queries: 15, restarts: 2)
      func run(_ indices: [Int]) -> AttackResult {
        let rows = Tensor(indices, shape: [indices.count])
        return attack.run(
          on: problem.classifier, images: problem.images.indexSelect(rows),
          labels: problem.labels.indexSelect(rows), streams: streams(indices))
      }
      let whole = run(Array(0..<24))
      let order = RandomStream(seed: 1).permutation(24)
      for (size, order) in [(1, Array(0..<24)), (7, order), (24, order)] {
        for first in stride(from: 0, to: 24, by: size) {
          let indices = Array(order[first..<min(first + size, 24)])
          let part = run(indices)
          #expect(part.fooled == indices.map { whole.fooled[$0] })
          #expect(part.costs == indices.map { whole.costs[$0] })
          expectIdentical(
            part.images, whole.images.indexSelect(Tensor(indices, shape: [indices.count])))
        }
      }
    }
  }

  // MARK: Networks

  @Test func scoresThatAreNoNumbersAreWrong() {
    let problem = LinearProblem(count: 3, bias: 4)
    let network = ClosureClassifier(classCount: 2) { images in
      let logits = problem.classifier.logits(images)
      return logits.maskedFill(logits.select(1, 1).unsqueeze(1) .< 3.9, .nan)
    }
    for goal in [Goal.fool, .strongest] {
      let result = Square(threat: threats[0], queries: 200).run(
        on: network, images: problem.images, labels: problem.labels, streams: streams([0, 1, 2]),
        goal: goal)
      #expect(result.fooled == [true, true, true])
      #expect(result.images.isfinite().all().bools() == [true])
    }
  }

  @Test func networksStayAsTheyAre() {
    for threat in threats {
      Laws.expectUntouched { network, images, labels in
        _ = Square(threat: threat, queries: 5, restarts: 2).run(
          on: network, images: images, labels: labels, streams: streams(Array(0..<6)),
          goal: .strongest)
      }
    }
  }

  @Test func settingsAreReadByName() throws {
    let threat = threats[2]
    let attacks = try AttackList.parse(
      "square,square:queries=70:restarts=2:p_init=0.3:rescale_schedule=true", threat: threat,
      among: [Square.entry])
    #expect(attacks.map(\.name) == ["square", "square"])
    #expect(attacks[0] as? Square == Square(threat: threat))
    #expect(
      attacks[1] as? Square
        == Square(threat: threat, queries: 70, restarts: 2, pInit: 0.3, rescaleSchedule: true))
    #expect(attacks[0].record["queries"] == 5000 && attacks[0].record["pInit"] == 0.8)
  }
}
