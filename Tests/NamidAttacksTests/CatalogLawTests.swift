import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidAttacks

/// Laws that hold for every attack of the catalog, in every norm that it has and with both goals.
@Suite(.serialized) struct CatalogLawTests {
  /// An attack to try, small enough for a test.
  struct Case: CustomTestStringConvertible, Sendable {
    var entry: AttackEntry
    var threat: ThreatModel
    var goal: Goal
    var testDescription: String { "\(entry.name), \(threat.norm), \(goal)" }

    func attack() throws -> any Attack {
      let small = [
        "pgd": "pgd-4:restarts=2", "square": "square:queries=30",
        "autoattack": "autoattack-4:queries=20",
        "cw": "cw-6:searchSteps=2:abortsEarly=false", "fab": "fab:steps=3",
        "fab-t": "fab-t:steps=3",
      ]
      let text = small[entry.name] ?? (entry.number == nil ? entry.name : "\(entry.name)-4")
      return try AttackList.parse(text, threat: threat, among: [entry])[0]
    }
  }

  static let cases: [Case] = AttackEntry.all.flatMap { entry in
    entry.norms.flatMap { norm in
      let epsilon: Fraction =
        switch norm {
        case .linf: 0.1
        case .l2: 0.4
        case .l1: 1.5
        }
      return [Goal.fool, .strongest].map {
        Case(entry: entry, threat: ThreatModel(norm: norm, epsilon: epsilon), goal: $0)
      }
    }
  }

  @Test func everyNormAndGoalIsTried() {
    #expect(Self.cases.count >= 70 && Set(Self.cases.map(\.entry.name)).count == 14)
  }

  @Test(arguments: cases) func anEmptyBatchIsAttackedToo(_ item: Case) throws {
    let problem = LinearProblem()
    let attack = try item.attack()
    let result = attack.run(
      on: problem.classifier, images: .zeros([0, 1, 4, 5]), labels: .zeros([0], dtype: .int64),
      streams: [], goal: item.goal)
    #expect(result.images.shape == [0, 1, 4, 5] && result.fooled == [] && result.costs == [])
    #expect(result.distances == (attack.seeksSmallest ? [] : nil))
  }

  @Test(arguments: cases) func aNetworkThatIsNeverFooledCostsTheBudget(_ item: Case) throws {
    let attack = try item.attack()
    // Ten classes with the label far ahead, whatever the image.
    let network = ClosureClassifier(classCount: 10) { images in
      let lead = Tensor([Float(1000)] + [Float](repeating: 0, count: 9), shape: [1, 10])
      return lead + images.flatten(1).sum([1], keepdim: true)
        * Tensor((0..<10).map { Float($0) / 10 }, shape: [1, 10])
    }
    let observed = ObservedClassifier(network)
    let images = ClosedForm.picture([3, 1, 4, 5])
    let result = attack.run(
      on: observed, images: images, labels: .zeros([3], dtype: .int64),
      streams: streams([0, 1, 2]),
      goal: item.goal)
    let budget = attack.budget(classCount: 10)
    #expect(result.fooled == [false, false, false])
    #expect(observed.imageCount == result.costs.reduce(0) { $0 + $1.forwards })
    // Attacks whose budget is an upper bound, since chance or progress decides.
    let isBound = ["square", "autoattack", "ti-dim"].contains(item.entry.name)
    for cost in result.costs {
      if isBound {
        #expect(cost.forwards <= budget.forwards && cost.backwards <= budget.backwards)
        #expect(cost.forwards > 1 && 3 * cost.forwards > budget.forwards)
      } else {
        #expect(cost == budget)
      }
    }
  }

  @Test(arguments: cases) func verdictsAreTheNetworksOwnAndImagesStayInTheBall(_ item: Case) throws
  {
    let attack = try item.attack()
    let problem = CurvedProblem(count: 24)
    let result = attack.run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<24)), goal: item.goal)
    #expect(result.images.min().item() >= 0 && result.images.max().item() <= 1)
    let wrong = (problem.classifier.predictions(result.images) .!= problem.labels).bools()
    for (sample, fooled) in result.fooled.enumerated() where fooled {
      // With the goal `strongest` an image may be handed over that is stronger but fools no more.
      #expect(wrong[sample] || item.goal == .strongest)
    }
    if let ball = attack.ball, !attack.seeksSmallest {
      Laws.expectFeasible(result, around: problem.images, in: ball, slack: 1e-5)
    }
  }

  @Test(arguments: cases) func theBatchDoesNotMatter(_ item: Case) throws {
    let attack = try item.attack()
    let problem = CurvedProblem(count: 16)
    Laws.expectIndependenceOfBatches(count: 16, item.testDescription) { indices in
      let rows = Tensor(indices, shape: [indices.count])
      return attack.run(
        on: problem.classifier, images: problem.images.indexSelect(rows),
        labels: problem.labels.indexSelect(rows), streams: streams(indices), goal: item.goal)
    }
  }

  @Test(arguments: cases) func theNetworkIsLeftAsItWas(_ item: Case) throws {
    let attack = try item.attack()
    Laws.expectUntouched { network, images, labels in
      _ = attack.run(
        on: network, images: images, labels: labels, streams: streams(Array(0..<6)),
        goal: item.goal)
    }
  }

  @Test(arguments: cases) func theRecordGivesTheAttackAgain(_ item: Case) throws {
    let attack = try item.attack()
    let settings = AttackList.settingTexts(of: attack.record).map { ":\($0.key)=\($0.text)" }
    let number = item.entry.number.map { key in ":\(key)=" }
    let name = number == nil ? attack.name : item.entry.name
    let again = try AttackList.parse(
      name + settings.joined(), threat: item.threat, among: AttackEntry.all)[0]
    #expect(again.record == attack.record && again.name == attack.name)
  }
}
