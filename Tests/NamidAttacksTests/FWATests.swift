import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidAttacks

@Suite(.serialized) struct FWATests {
  /// One attack per mode, strong enough for the small problems of these tests.
  let attacks = [
    FWA(mode: .frankWolfe, steps: 8, radius: 0.15),
    FWA(mode: .dualProjection, steps: 8, radius: 0.15, stepSize: 0.05),
    FWA(mode: .authors, steps: 8, radius: 0.15, stepSize: 0.05),
  ]

  func run(
    _ attack: FWA, on classifier: any Classifier, _ images: Tensor, _ labels: Tensor,
    goal: Goal = .fool
  ) -> AttackResult {
    attack.run(
      on: classifier, images: images, labels: labels, streams: streams(Array(0..<images.size(0))),
      goal: goal)
  }

  // MARK: What is reached

  /// Six images of a linear problem, and per image the lowest margin that transport of mass can reach.
  ///
  /// The images are so dark that mass from all around does not fill a pixel: clipping would not be linear.
  func linear(radius: Double, bias: Double) -> (LinearProblem, images: Tensor, lowest: [Double]) {
    let problem = LinearProblem(count: 6, shape: [1, 4, 5], bias: bias)
    let images = problem.images * 0.2
    let weights = problem.weight.doubles
    let lowest = (0..<6).map { sample in
      let image = images.select(0, sample).doubles
      let oracle = TransportOracle(image, height: 4, width: 5, side: 5, radius: radius)
      return bias - oracle.largestGain(weights.map { -$0 })
    }
    return (problem, images, lowest)
  }

  @Test func theExactOptimumOfALinearClassifierIsReached() {
    for radius in [0.01, 0.1] {
      let (problem, images, lowest) = linear(radius: radius, bias: 9)
      let clean = problem.margins(images).doubles
      // Small steps along the projected gradient need many; those of Frank and Wolfe arrive at once.
      for (attack, share) in [
        (FWA(mode: .frankWolfe, steps: 1, radius: radius, gamma: 1e-5, dualSteps: 80), 0.995),
        (FWA(mode: .frankWolfe, steps: 20, radius: radius), 0.98),
        (FWA(mode: .dualProjection, steps: 60, radius: radius, stepSize: 0.1), 0.98),
      ] {
        let result = run(attack, on: problem.classifier, images, problem.labels)
        #expect(result.fooled == [Bool](repeating: false, count: 6))
        let reached = problem.margins(result.images).doubles
        for sample in 0..<6 {
          let gained = (clean[sample] - reached[sample]) / (clean[sample] - lowest[sample])
          #expect(
            gained > share && gained < 1 + 1e-3,
            "\(attack.settings.mode), radius \(radius): \(gained)")
        }
      }
    }
  }

  @Test func aSampleIsFooledExactlyWhenItIsInReach() {
    // A bias that leaves some margins just out of reach.
    let radius = 0.05
    let (_, _, reach) = linear(radius: radius, bias: 0)
    let middle = reach.sorted()
    let bias = -(middle[2] + middle[3]) / 2
    let (problem, images, lowest) = linear(radius: radius, bias: bias)
    #expect(lowest.contains { $0 < 0 } && lowest.contains { $0 > 0 })
    let attack = FWA(mode: .frankWolfe, steps: 5, radius: radius, gamma: 1e-5, dualSteps: 80)
    let result = run(attack, on: problem.classifier, images, problem.labels)
    #expect(result.fooled == lowest.map { $0 < 0 })
  }

  @Test func onALinearLossFrankAndWolfeNeverFallBack() {
    // The first step is a full one; all further ones lead to the same plan.
    let (problem, images, _) = linear(radius: 0.05, bias: 9)
    var margins: [[Double]] = []
    _ = FWA(mode: .frankWolfe, steps: 10, radius: 0.05).run(
      on: problem.classifier, images: images, labels: problem.labels, goal: .fool
    ) { plan, _ in margins.append(problem.margins(plan.arrivals).doubles) }
    #expect(margins.count == 11)
    for (before, after) in zip(margins, margins.dropFirst()) {
      #expect(zip(before, after).allSatisfy { $1 <= $0 + 1e-4 })
    }
    #expect(zip(margins[0], margins[1]).allSatisfy { $1 < $0 - 0.001 })
  }

  // MARK: Constraints

  /// Images that are hard to get right, of one shape.
  func hostile(_ shape: [Int]) -> Tensor {
    let each = Array(shape.dropFirst())
    let dot = Tensor.zeros([1] + each)
    dot.select(2, each[1] / 2).select(2, each[2] / 2).fill_(1)
    return .cat([
      .zeros([1] + each), .ones([1] + each), .full([1] + each, 0.37), dot,
      .full([1] + each, 1e-20), ClosedForm.picture([1] + each),
      ClosedForm.tensor("dark", [1] + each, scale: 0.5, offset: 0.2).clamp(min: 0, max: 1),
    ])
  }

  @Test(arguments: [[7, 1, 1, 1], [7, 1, 1, 6], [7, 3, 5, 2], [7, 2, 4, 4]])
  func allPlansAreAllowedAndAllImagesAreImages(_ shape: [Int]) {
    let images = hostile(shape)
    let features = shape.dropFirst().reduce(1, *)
    // A curved boundary far away, so that all steps are taken.
    let classifier = QuadraticClassifier(
      centres: ClosedForm.tensor("far", [3, features], scale: 0.3), sharpness: .ones([3]))
    let labels = classifier.predictions(images)
    for mode in FWA.Mode.allCases {
      for radius in [0.005, 0.3, 4] {
        let attack = FWA(mode: mode, steps: 5, radius: radius, stepSize: 0.1)
        var seen = 0
        let result = attack.run(
          on: classifier, images: images, labels: labels, goal: .strongest
        ) { plan, samples in
          seen += 1
          #expect(samples == Array(0..<7))
          for (sample, certificate) in plan.certificates.enumerated() {
            #expect(
              certificate.holds(radius: radius),
              "\(mode), radius \(radius), sample \(sample): \(certificate)")
          }
        }
        #expect(seen == 6)
        #expect(result.images.shape == shape && result.images.dtype == .float32)
        #expect(result.images.isfinite().all().bools() == [true] && !result.images.requiresGrad)
        #expect(result.images.min().item() >= 0 && result.images.max().item() <= 1)
        // There is nothing to move in a black image.
        expectIdentical(result.images.select(0, 0), images.select(0, 0))
      }
    }
  }

  @Test func whatIsGivenBackIsThePlanClipped() {
    // All mass that can goes to the first pixel, which is full already.
    let problem = LinearProblem(count: 2, shape: [1, 2, 2])
    let weight = Tensor([Float(0), 0, 0, 0, -1, 0, 0, 0], shape: [2, 4])
    let classifier = LinearClassifier(weight: weight, bias: Tensor([Float(0), 5], shape: [2]))
    let images = Tensor([Float(0.9), 0.5, 0.5, 0.5, 0.2, 0.5, 0.5, 0.5], shape: [2, 1, 2, 2])
    var last = images
    let result = FWA(mode: .frankWolfe, steps: 3, radius: 0.3).run(
      on: classifier, images: images, labels: problem.labels, goal: .strongest
    ) { plan, _ in last = plan.arrivals }
    #expect(last.select(0, 0).max().item() > 1.05)
    expectClose(last.sum([1, 2, 3]), images.sum([1, 2, 3]), rtol: 1e-5)
    #expect(result.images.max().item() == 1)
    expectClose(result.images.select(0, 1), last.select(0, 1), rtol: 1e-6)
  }

  @Test func massIsNotSentToWherePixelsAreFull() {
    // Only the first pixel matters, and more than 1 of it does not.
    let weight = Tensor([Float(0), 0, 0, 0, -1, 0, 0, 0], shape: [2, 4])
    let classifier = LinearClassifier(weight: weight, bias: Tensor([Float(0), 5], shape: [2]))
    let image = Tensor([Float(0.9), 0.5, 0.5, 0.5], shape: [1, 1, 2, 2])
    var last = image
    _ = FWA(mode: .dualProjection, steps: 20, radius: 0.3, stepSize: 0.05).run(
      on: classifier, images: image, labels: .ones([1], dtype: .int64), goal: .fool
    ) { plan, _ in last = plan.arrivals }
    // One step of 0.05 too far from each of three neighbours at most; the budget would allow 1.6.
    #expect(last.max().item() > 1 && last.max().item() < 1.16)
  }

  @Test func aRadiusOfZeroGivesTheImagesBack() {
    let problem = CurvedProblem(count: 12)
    for mode in FWA.Mode.allCases {
      let result = run(
        FWA(mode: mode, steps: 3, radius: 0), on: problem.classifier, problem.images,
        problem.labels)
      expectIdentical(result.images, problem.images)
    }
  }

  @Test func imagesWithoutAUsableGradientStay() {
    let images = ClosedForm.picture([3, 1, 4, 4])
    let labels = Tensor.ones([3], dtype: .int64)
    let flat = ClosureClassifier(classCount: 2) { images in
      let level = (images * 0).flatten(1).sum([1], keepdim: true)
      return .cat([level, level + 1], dim: 1)
    }
    let broken = ClosureClassifier(classCount: 2) { images in
      let level = (images.flatten(1).sum([1], keepdim: true) * 0).square().sqrt()
      return .cat([level, level + 1], dim: 1)
    }
    for classifier in [flat, broken] {
      for attack in attacks {
        let result = run(attack, on: classifier, images, labels)
        expectIdentical(result.images, images, "\(attack.settings.mode)")
        #expect(result.fooled == [false, false, false])
      }
    }
  }

  @Test func fooledMeansThatTheNetworkErrs() {
    let problem = CurvedProblem()
    for attack in attacks {
      Laws.expectTrueVerdicts(
        of: run(attack, on: problem.classifier, problem.images, problem.labels), on: problem)
    }
  }

  // MARK: More work, other batches

  @Test func moreStepsFoolNoFewer() {
    let problem = CurvedProblem()
    for var attack in attacks {
      Laws.expectMoreFooled([1, 3, 9, 20]) {
        attack.settings.steps = $0
        return run(attack, on: problem.classifier, problem.images, problem.labels).fooled
      }
    }
  }

  @Test func resultsDoNotDependOnBatchesOrOrder() {
    let problem = CurvedProblem()
    for attack in attacks {
      Laws.expectIndependenceOfBatches(count: 64, "\(attack.settings.mode)") { indices in
        let rows = Tensor(indices, shape: [indices.count])
        return run(
          attack, on: problem.classifier, problem.images.indexSelect(rows),
          problem.labels.indexSelect(rows))
      }
    }
  }

  @Test func theStrongestImageTakesTheWholeBudget() {
    let problem = CurvedProblem()
    for attack in attacks {
      let fool = run(attack, on: problem.classifier, problem.images, problem.labels)
      let strongest = run(
        attack, on: problem.classifier, problem.images, problem.labels, goal: .strongest)
      let full = Cost(forwards: attack.settings.steps + 2, backwards: attack.settings.steps)
      #expect(strongest.costs == [Cost](repeating: full, count: 64))
      #expect(zip(fool.fooled, strongest.fooled).allSatisfy { !$0 || $1 })
      func losses(_ images: Tensor) -> [Double] {
        problem.classifier.logits(images).crossEntropy(problem.labels, reduction: .none).doubles
      }
      let (clean, found) = (losses(problem.images), losses(strongest.images))
      #expect(zip(clean, found).allSatisfy { $1 >= $0 - 1e-6 })
      #expect(zip(losses(fool.images), found).allSatisfy { $1 >= $0 - 1e-4 })
    }
  }

  // MARK: Costs and side effects

  @Test func theBudgetIsKeptAndCounted() {
    let problem = LinearProblem(bias: 9)
    for attack in attacks {
      let observed = ObservedClassifier(problem.classifier)
      let result = run(attack, on: observed, problem.images, problem.labels)
      let full = Cost(forwards: attack.settings.steps + 2, backwards: attack.settings.steps)
      #expect(result.costs == [Cost](repeating: full, count: 5))
      #expect(observed.callCount == full.forwards && observed.imageCount == 5 * full.forwards)
      #expect(observed.modes == [false])
    }
    let wrong = LinearProblem(bias: -9)
    let result = run(attacks[0], on: wrong.classifier, wrong.images, wrong.labels)
    #expect(result.costs == [Cost](repeating: Cost(forwards: 1), count: 5))
  }

  @Test func fooledSamplesLeaveTheWork() {
    let problem = CurvedProblem()
    for attack in attacks {
      let observed = ObservedClassifier(problem.classifier)
      let result = run(attack, on: observed, problem.images, problem.labels)
      let total = result.costs.reduce(Cost(), +)
      #expect(observed.imageCount == total.forwards && Set(result.costs).count > 2)
      for (cost, fooled) in zip(result.costs, result.fooled) {
        #expect(cost.forwards == 1 ? cost.backwards == 0 : cost.backwards == cost.forwards - 2)
        #expect(fooled || cost.forwards == attack.settings.steps + 2)
      }
    }
  }

  @Test func theNetworkStaysAsItWas() {
    for attack in attacks {
      Laws.expectUntouched { network, images, labels in
        _ = run(attack, on: network, images, labels)
      }
    }
  }

  // MARK: Settings

  @Test func modesHaveTheirUsualSettings() throws {
    let threat = ThreatModel(norm: .l1, epsilon: 12)
    let parsed = try AttackList.parse(
      "fwa,fwa-7:mode=dual-projection:radius=8/255:step_size=2/255,fwa-40:mode=authors",
      threat: threat, among: [FWA.entry]
    ).compactMap { $0 as? FWA }
    #expect(
      parsed.map(\.settings)
        == [
          FWA(),
          FWA(mode: .dualProjection, steps: 7, radius: 8.0 / 255, stepSize: 2.0 / 255),
          FWA(mode: .authors),
        ].map(\.settings))
    #expect(parsed.map(\.name) == ["fwa-40", "fwa-7", "fwa-40"])
    #expect(parsed.allSatisfy { $0.ball == nil })
    #expect(
      parsed[0].record == [
        "mode": "frank-wolfe", "steps": 40, "radius": 0.005, "kernel": 5, "dualSteps": 30,
        "gamma": 0.001, "stepSize": nil,
      ])
    #expect(
      parsed[2].record == [
        "mode": "authors", "steps": 40, "radius": .double(8.0 / 255), "kernel": 4,
        "dualSteps": 15, "gamma": nil, "stepSize": 0.007,
      ])
  }

  @Test(arguments: [
    ("fwa-3:kernel=4", "odd"), ("fwa-3:mode=dual-projection:kernel=4", "odd"),
    ("fwa-3:mode=authors:gamma=1", "gamma"), ("fwa-3:step_size=1", "step_size"),
    ("fwa-3:mode=wasserstein", "frank-wolfe, dual-projection, authors"),
    ("fwa-3:radius=-1", "at least 0"), ("fwa-3:gamma=0", "at least"), ("fwa-3:kernel=1", "from 2"),
  ])
  func wrongSettingsAreRefused(_ text: String, _ part: String) {
    do {
      _ = try AttackList.parse(
        text, threat: ThreatModel(norm: .linf, epsilon: 0.1), among: [FWA.entry])
      Issue.record("\(text) was taken")
    } catch {
      #expect(error.description.contains(part), "\(error)")
    }
  }
}

extension FWA {
  /// Attacks a batch and shows the plan of every image that the network judges.
  fileprivate func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, goal: Goal,
    observing observe: (_ plan: TransportPlan, _ samples: [Int]) -> Void
  ) -> AttackResult {
    Search.run(on: classifier, images: images, labels: labels, streams: [], goal: goal) {
      attack($0, observing: observe)
    }
  }
}
