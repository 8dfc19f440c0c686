import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// The questions of attacks to a device that computes while the host goes on, with the CPU in its place.
@Suite(.serialized) struct PacingTests {
  static let linf = ThreatModel(norm: .linf, epsilon: 0.02)
  static let l2 = ThreatModel(norm: .l2, epsilon: 0.2)
  static let l1 = ThreatModel(norm: .l1, epsilon: 0.6)

  /// The questions and uploads that a step may have while no sample is fooled.
  struct Allowance: CustomTestStringConvertible {
    var name: String
    var readBacks: Double
    var uploads = 0.0
    var goal = Goal.fool
    var attack: @Sendable (_ steps: Int) -> any Attack

    var testDescription: String { name }
  }

  static let allowances: [Allowance] = [
    Allowance(name: "PGD", readBacks: 1) { PGD(threat: linf, steps: $0) },
    Allowance(name: "PGD, L2", readBacks: 1) { PGD(threat: l2, steps: $0) },
    Allowance(name: "APGD", readBacks: 1) { APGD(.crossEntropy, threat: linf, steps: $0) },
    Allowance(name: "APGD, L2", readBacks: 1) { APGD(.dlr, threat: l2, steps: $0) },
    Allowance(name: "APGD, random", readBacks: 1) {
      APGD(.crossEntropy, threat: linf, steps: $0, eot: 3)
    },
    Allowance(name: "APGD, targeted", readBacks: 1) {
      APGD(.targetedDLR, threat: linf, steps: $0, targets: 1)
    },
    // The projection asks, too, and at every 25th part of the steps the support of the next ones.
    Allowance(name: "APGD, L1", readBacks: 2.1) { APGD(.crossEntropy, threat: l1, steps: $0) },
    // Two evaluations and two projections.
    Allowance(name: "FAB", readBacks: 4) { FAB(threat: linf, targets: 1, steps: $0) },
    Allowance(name: "FAB, L2", readBacks: 4) { FAB(threat: l2, targets: 1, steps: $0) },
    Allowance(name: "FAB, L1", readBacks: 2) { FAB(threat: l1, targets: 1, steps: $0) },
    Allowance(name: "Square", readBacks: 1 / 16, uploads: 1 / 16) {
      Square(threat: linf, queries: $0)
    },
    Allowance(name: "Square, L2", readBacks: 1 / 16, uploads: 1 / 16) {
      Square(threat: l2, queries: $0)
    },
    Allowance(name: "Square, L1", readBacks: 1.07, uploads: 1 / 16) {
      Square(threat: l1, queries: $0)
    },
    // Ten times in a descent, whatever its length: who has come to a halt, and who that leaves.
    Allowance(name: "CW", readBacks: 0.04, uploads: 0.04) {
      CarliniWagner(threat: l2, iterations: $0, searchSteps: 1)
    },
    Allowance(name: "DDN", readBacks: 1) { DDN(threat: l2, steps: $0) },
    Allowance(name: "FMN", readBacks: 0) { FMN(threat: linf, steps: $0) },
    Allowance(name: "FMN, L2", readBacks: 0) { FMN(threat: l2, steps: $0) },
    Allowance(name: "FMN, L1", readBacks: 1) { FMN(threat: l1, steps: $0) },
    // Changed images are evaluated as they are, too.
    Allowance(name: "TI-DIM", readBacks: 2) { TIDIM(threat: linf, steps: $0) },
    Allowance(name: "TI-DIM for transfer", readBacks: 0, goal: .strongest) {
      TIDIM(threat: l2, steps: $0)
    },
    // Once in eight evaluations of the price.
    Allowance(name: "FWA", readBacks: 3) { FWA(steps: $0, radius: 0.05) },
    Allowance(name: "FWA, projected", readBacks: 2) { FWA(mode: .dualProjection, steps: $0) },
  ]

  func work(_ steps: Int, _ allowance: Allowance) -> CallCounts {
    let problem = LinearProblem(count: 40, bias: 12)
    let attack = allowance.attack(steps)
    let draws = streams(Array(0..<40))
    return CallCounter.count {
      Pacing.$treatsCPUAsAccelerator.withValue(true) {
        let result = attack.run(
          on: problem.classifier, images: problem.images, labels: problem.labels, streams: draws,
          goal: allowance.goal)
        #expect(!result.fooled.contains(true))
      }
    }
  }

  @Test(arguments: allowances) func aStepAsksAndSendsLittle(_ allowance: Allowance) {
    // Twice as many more steps as Square draws queries at once.
    let (few, many) = (work(100, allowance), work(132, allowance))
    let readBacks = Double(many.readBacks - few.readBacks) / 32
    let uploads = Double(many.uploads - few.uploads) / 32
    #expect(readBacks <= allowance.readBacks)
    #expect(uploads <= allowance.uploads)
  }

  @Test func somethingIsSentOnlyWhenRowsLeave() {
    let problem = CurvedProblem()
    var batches: [Int] = []
    let network = ClosureClassifier(classCount: 3) { images in
      batches.append(images.size(0))
      return problem.classifier.logits(images)
    }
    var fooled: [Bool] = []
    let attack = PGD(threat: ThreatModel(norm: .l2, epsilon: 0.5), steps: 12)
    let draws = streams(Array(0..<64))
    let counts = CallCounter.count {
      fooled =
        attack.run(
          on: network, images: problem.images, labels: problem.labels, streams: draws
        ).fooled
    }
    let work = batches.dropFirst() + [fooled.count { !$0 }]
    let leavings = zip(work, work.dropFirst()).count { $0 > $1 }
    #expect((3..<13).contains(leavings))
    // Besides, the places of the rows and the noise of the start.
    #expect(counts.uploads == leavings + 2 && counts.readBacks == batches.count)
  }

  // MARK: The same results

  static let everything: [any Attack] = [
    PGD(threat: l2, steps: 6, restarts: 2), APGD(.crossEntropy, threat: linf, steps: 12),
    APGD(.targetedDLR, threat: l2, steps: 8, targets: 2),
    APGD(.dlr, threat: l1, steps: 12, largerRadii: true), FAB(threat: linf, steps: 5),
    FAB(threat: l2, targets: 2, steps: 5, restarts: 2), FAB(threat: l1, targets: 2, steps: 5),
    Square(threat: linf, queries: 37, restarts: 2), Square(threat: l2, queries: 37),
    Square(threat: l1, queries: 37), AutoAttack(threat: linf, steps: 5, queries: 20),
    CarliniWagner(threat: l2, iterations: 30, searchSteps: 3, initialConstant: 1),
    DDN(threat: l2, steps: 12), FMN(threat: linf, steps: 12), FMN(threat: l1, steps: 12),
    TIDIM(threat: linf, steps: 6), FWA(steps: 5, radius: 0.03),
    FWA(mode: .dualProjection, steps: 5, radius: 0.3),
  ]

  @Test(arguments: everything.indices) func resultsAreThoseOfTheCPU(_ place: Int) {
    let attack = Self.everything[place]
    let problem = CurvedProblem(count: 45, shape: [2, 5, 6])
    for goal in [Goal.fool, .strongest] {
      func run(asAccelerator: Bool) -> (result: AttackResult, batches: [Int]) {
        var batches: [Int] = []
        let network = ClosureClassifier(classCount: 3) { images in
          batches.append(images.size(0))
          return problem.classifier.logits(images)
        }
        let result = Pacing.$treatsCPUAsAccelerator.withValue(asAccelerator) {
          attack.run(
            on: network, images: problem.images, labels: problem.labels,
            streams: streams(Array(0..<45)), goal: goal)
        }
        return (result, batches)
      }
      let (plain, paced) = (run(asAccelerator: false), run(asAccelerator: true))
      #expect(plain.result.fooled == paced.result.fooled, "\(attack.name)")
      #expect(plain.result.costs == paced.result.costs, "\(attack.name)")
      #expect(plain.result.distances == paced.result.distances, "\(attack.name)")
      expectIdentical(plain.result.images, paced.result.images, attack.name)
      // Some are fooled and some are not, so that rows leave; the network then sees two shapes instead of many.
      let fooled = plain.result.fooled
      #expect(fooled.contains(true) && fooled.contains(false), "\(attack.name), \(place)")
      #expect(Set(paced.batches).isSubset(of: [32, 64]))
    }
  }

  @Test func gradientsAreThoseOfTheImagesAlone() {
    let problem = CurvedProblem(count: 5)
    func gradient(_ classifier: any Classifier) -> Tensor {
      Point(classifier, at: problem.images) { $0.crossEntropy(problem.labels, reduction: .none) }
        .gradient()
    }
    expectIdentical(gradient(PaddedClassifier(problem.classifier)), gradient(problem.classifier))
    let none = PaddedClassifier(problem.classifier).logits(problem.images.slice(0..<0))
    #expect(none.shape == [0, 3])
  }
}
