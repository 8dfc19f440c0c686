import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidAttacks

@Suite(.serialized) struct AutoAttackTests {
  let threat = ThreatModel(norm: .linf, epsilon: eight)

  // MARK: What it consists of

  func summary(_ attack: AutoAttack) -> [String] {
    attack.members.map { member in
      let settings = AttackList.settingTexts(of: member.record)
      let parts = ["steps", "queries", "restarts", "eot", "targets", "largerRadii"]
        .compactMap { key in settings.first { $0.key == key }.map { "\(key)=\($0.text)" } }
      return ([member.name] + parts).joined(separator: " ")
    }
  }

  @Test func membersAndTheirBudgetsAreTheAuthors() {
    #expect(
      summary(AutoAttack(threat: threat)) == [
        "apgd-ce steps=100 restarts=1 eot=1", "apgd-t steps=100 restarts=1 eot=1 targets=9",
        "fab-t steps=100 restarts=1 targets=9", "square queries=5000 restarts=1",
      ])
    #expect(
      summary(AutoAttack(threat: ThreatModel(norm: .l1, epsilon: 12))) == [
        "apgd-ce steps=100 restarts=5 eot=1 largerRadii=true",
        "apgd-t steps=100 restarts=1 eot=1 targets=5 largerRadii=true",
        "fab-t steps=100 restarts=1 targets=9", "square queries=5000 restarts=1",
      ])
    #expect(
      AutoAttack(threat: threat, version: .plus).members.map { member in
        let settings = member.record
        let text = { (key: String) in settings[key]?.text() ?? "" }
        return "\(member.name) \(text("restarts")) \(text("queries"))"
      } == ["apgd-ce 5 ", "apgd-dlr 5 ", "fab 5 ", "square 1 5000", "apgd-t 1 ", "fab-t 1 "])
    #expect(
      summary(AutoAttack(threat: threat, version: .rand)) == [
        "apgd-ce steps=100 restarts=1 eot=20", "apgd-dlr steps=100 restarts=1 eot=20",
      ])
    for version in AutoAttack.Version.allCases {
      for member in AutoAttack(threat: threat, version: version).members {
        #expect(member.ball == threat)
      }
    }
  }

  @Test func fewClassesAreSpokenOf() throws {
    #expect(AutoAttack(threat: threat).fallback(classCount: 10) == nil)
    let two = try #require(AutoAttack(threat: threat, version: .rand).fallback(classCount: 2))
    #expect(two.contains("apgd-dlr: the margin"))
    #expect(AutoAttack(threat: threat, version: .rand).fallback(classCount: 3) == nil)
    let three = try #require(AutoAttack(threat: threat).fallback(classCount: 3))
    #expect(three.contains("apgd-t: the difference") && three.contains("2 targets instead of 9"))
    let five = APGD(.targetedDLR, threat: threat).fallback(classCount: 5)
    #expect(five == "4 targets instead of 9")
    #expect(APGD(.crossEntropy, threat: threat).fallback(classCount: 2) == nil)
  }

  func parse(_ text: String, _ ball: ThreatModel) throws(AttackListError) -> [any Attack] {
    try AttackList.parse(
      text, threat: ball,
      among: [APGD.crossEntropyEntry, APGD.dlrEntry, APGD.targetedEntry, AutoAttack.entry])
  }

  @Test func namesAndSettingsAreRead() throws {
    let attacks = try parse(
      "apgd-ce:restarts=5:rho=0.6,apgd-dlr-40:schedule=paper,apgd-t:targets=3:eot=2,"
        + "autoattack,autoattack-40,autoattack:version=rand,autoattack:version=plus:queries=10",
      threat)
    #expect(
      attacks.map(\.name) == [
        "apgd-ce", "apgd-dlr-40", "apgd-t", "autoattack", "autoattack-40", "autoattack-rand",
        "autoattack-plus-10q",
      ])
    #expect(
      attacks[0] as? APGD == APGD(.crossEntropy, threat: threat, restarts: 5, rho: 0.6))
    #expect(attacks[1] as? APGD == APGD(.dlr, threat: threat, steps: 40, schedule: .paper))
    #expect(attacks[2] as? APGD == APGD(.targetedDLR, threat: threat, eot: 2, targets: 3))
    #expect(attacks[4] as? AutoAttack == AutoAttack(threat: threat, steps: 40))
    #expect(attacks[4].members[1].record["targets"] == 9)
    #expect(
      attacks[4].members.map(\.name) == ["apgd-ce-40", "apgd-t-40", "fab-t", "square"])
    let l1 = ThreatModel(norm: .l1, epsilon: 12)
    let sparse = try parse("apgd-ce:larger_radii=true", l1)
    #expect(sparse[0] as? APGD == APGD(.crossEntropy, threat: l1, largerRadii: true))
    for (text, ball) in [
      ("apgd-ce:targets=3", threat), ("apgd-ce:larger_radii=true", threat),
      ("apgd-ce:rho=2", threat),
      ("apgd-t:rho=0.5", l1), ("autoattack:version=plus", l1), ("autoattack:version=best", threat),
    ] {
      #expect(throws: AttackListError.self, "\(text)") {
        try parse(text, ball)
      }
    }
  }

  // MARK: What it costs

  @Test func theBudgetIsTheAuthorsLessWhatIsSaved() {
    let images = Tensor.full([1, 1, 2, 2], 0.5)
    let labels = Tensor.zeros([1], dtype: .int64)
    let observed = ObservedClassifier(constantClassifier())
    // Square's queries are counted one by one: a tenth of them shows as much.
    let attack = AutoAttack(threat: threat, queries: 500)
    let samples = streams([4])
    let result = attack.run(on: observed, images: images, labels: labels, streams: samples)
    #expect(result.fooled == [false] && observed.imageCount == result.costs[0].forwards)
    let alone = attack.members.map { member in
      member.run(
        on: constantClassifier(), images: images, labels: labels,
        streams: samples.map { $0.keyed(member.name) }
      ).costs[0]
    }
    // The unattacked image once, and each member's image once more.
    #expect(result.costs[0] == alone.reduce(Cost(forwards: 1 + 4), +))

    // The authors' code makes 7,857 forwards and 1,910 backwards: 5 outside the members as here, and per member
    let official = [
      Cost(forwards: 102, backwards: 101), Cost(forwards: 919, backwards: 909),
      Cost(forwards: 1828, backwards: 900), Cost(forwards: 5003, backwards: 0),
    ]
    #expect(
      official.reduce(Cost(forwards: 5), +) == Cost(forwards: 7857, backwards: 1910))
    // APGD: no gradient at the last iterate of a start; APGD-T: no second look at the unattacked image per target.
    #expect(alone[0] == Cost(forwards: 102, backwards: 101 - 1))
    #expect(alone[1] == Cost(forwards: 919 - 9, backwards: 909 - 9))
    // FAB-T and Square: never more.
    #expect(alone[2].forwards <= official[2].forwards && alone[2].backwards <= 900)
    #expect(alone[3].forwards <= official[3].forwards - 4500 && alone[3].backwards == 0)
  }

  @Test func aNetworkThatIsAlwaysWrongIsNotAttacked() {
    for version in AutoAttack.Version.allCases {
      let observed = ObservedClassifier(constantClassifier())
      let images = ClosedForm.picture([3, 1, 2, 2])
      let result = AutoAttack(threat: threat, version: version).run(
        on: observed, images: images, labels: Tensor([1, 2, 3], shape: [3]),
        streams: streams([0, 1, 2]))
      #expect(observed.callCount == 1 && result.fooled == [true, true, true])
      #expect(result.costs == [Cost](repeating: Cost(forwards: 1), count: 3))
      expectIdentical(result.images, images)
    }
  }

  // MARK: What it finds

  func small(_ norm: Norm, _ version: AutoAttack.Version = .standard) -> AutoAttack {
    let epsilons: [Norm: Fraction] = [.linf: eight, .l2: 0.25, .l1: 0.8]
    return AutoAttack(
      threat: ThreatModel(norm: norm, epsilon: epsilons[norm] ?? 0), version: version, steps: 5,
      queries: 20)
  }

  @Test func theEnsembleIsAsStrongAsEachMemberWhateverTheOrder() {
    let problem = CurvedProblem()
    let samples = streams(Array(0..<64))
    for attack in [small(.linf), small(.l2), small(.l1), small(.linf, .plus)] {
      let together = attack.run(
        on: problem.classifier, images: problem.images, labels: problem.labels, streams: samples)
      var union = [Bool](repeating: false, count: 64)
      for member in attack.members {
        let alone = member.run(
          on: problem.classifier, images: problem.images, labels: problem.labels,
          streams: samples.map { $0.keyed(member.name) })
        #expect(zip(alone.fooled, together.fooled).allSatisfy { !$0 || $1 }, "\(member.name)")
        union = zip(union, alone.fooled).map { $0 || $1 }
      }
      // Each sample has its own numbers, so that members find the same with or without the others before them.
      #expect(together.fooled == union && union.contains(true) && union.contains(false))
      let wrong = (problem.classifier.predictions(together.images) .!= problem.labels).bools()
      #expect(wrong == together.fooled)
      let sizes = attack.threat.size(of: together.images - problem.images).doubles
      #expect(sizes.allSatisfy { $0 <= attack.threat.epsilon.value * (1 + 1e-5) })
    }
  }

  @Test func resultsDoNotDependOnBatches() {
    let problem = CurvedProblem(count: 21)
    let attack = small(.l2)
    func run(_ indices: [Int]) -> AttackResult {
      let rows = Tensor(indices, shape: [indices.count])
      return attack.run(
        on: problem.classifier, images: problem.images.indexSelect(rows),
        labels: problem.labels.indexSelect(rows), streams: streams(indices))
    }
    let whole = run(Array(0..<21))
    for first in [0, 7, 14] {
      let part = run(Array(first..<first + 7))
      #expect(part.fooled == Array(whole.fooled[first..<first + 7]))
      #expect(part.costs == Array(whole.costs[first..<first + 7]))
      expectIdentical(part.images, whole.images.slice(first..<first + 7))
    }
  }

  @Test func theStrongestOfAllMembersIsReturned() {
    let problem = CurvedProblem(count: 20)
    let samples = streams(Array(0..<20))
    let attack = small(.linf)
    func margins(_ images: Tensor) -> [Double] {
      AttackLoss.margin.values(problem.classifier.logits(images), problem.labels).doubles
    }
    let best = margins(
      attack.run(
        on: problem.classifier, images: problem.images, labels: problem.labels, streams: samples,
        goal: .strongest
      ).images)
    var most = [Double](repeating: -.infinity, count: 20)
    for member in attack.members {
      let images = member.run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: samples.map { $0.keyed(member.name) }, goal: .strongest
      ).images
      most = zip(most, margins(images)).map { max($0, $1) }
    }
    #expect(best == most)
  }

  @Test func aBallOfNoSizeGivesTheImagesBack() {
    let problem = CurvedProblem(count: 5)
    let result = AutoAttack(threat: ThreatModel(norm: .linf, epsilon: 0)).run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<5)))
    expectIdentical(result.images, problem.images)
    #expect(result.costs == [Cost](repeating: Cost(forwards: 1), count: 5))
  }
}
