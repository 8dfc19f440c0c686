import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidAttacks

@Suite(.serialized) struct TIDIMTests {
  let linf = ThreatModel(norm: .linf, epsilon: Fraction(8, over: 255))
  let l2 = ThreatModel(norm: .l2, epsilon: 0.5)

  func run(
    _ attack: TIDIM, on classifier: any Classifier, _ images: Tensor, _ labels: Tensor,
    goal: Goal = .fool
  ) -> AttackResult {
    attack.run(
      on: classifier, images: images, labels: labels, streams: streams(Array(0..<images.size(0))),
      goal: goal)
  }

  /// An attack in both norms and, for L∞, both variants.
  func attacks(steps: Int, diversity: InputDiversity? = nil, kernel: Int = 3) -> [TIDIM] {
    [(linf, TIDIM.Variant.canonical), (l2, .canonical), (linf, .authors)].map {
      TIDIM(threat: $0, steps: steps, variant: $1, kernel: kernel, diversity: diversity)
    }
  }

  // MARK: Smoothing

  @Test func theKernelIsANormalDensity() {
    let weights = GradientSmoothing.weights(15)
    #expect(weights.count == 15 && weights == weights.reversed())
    expectClose(weights.reduce(0, +), 1, rtol: 1e-12)
    // The middle is at 0 and the ends at ±3, where the density is e^−4.5 of that.
    expectClose(weights[0] / weights[7], 0.011_108_996_538_242_306, rtol: 1e-12)
    #expect(GradientSmoothing.weights(1) == [1])
  }

  /// The same by a depth-wise convolution with the two-dimensional kernel.
  func convolved(_ gradient: Tensor, side: Int) -> Tensor {
    let line = GradientSmoothing.weights(side).map { Float($0) }
    let kernel = line.flatMap { a in line.map { a * $0 } }
    let channels = gradient.size(1)
    let weight = Tensor(kernel, shape: [1, 1, side, side]).expand([channels, 1, side, side])
    return gradient.conv2d(weight, padding: side / 2, groups: channels)
  }

  @Test(arguments: [[2, 3, 32, 32], [1, 1, 5, 9], [3, 2, 1, 1], [2, 1, 20, 3]])
  func smoothingIsADepthwiseConvolution(_ shape: [Int]) {
    let gradient = ClosedForm.tensor("gradient", shape)
    for side in [1, 3, 15] {
      expectClose(
        GradientSmoothing(side: side, height: shape[2], width: shape[3], device: .cpu)
          .smooth(gradient), convolved(gradient, side: side),
        rtol: 1e-5, atol: 1e-6, "side \(side)")
    }
  }

  // MARK: The steps

  /// The last image of the attack without diversity, written out step by step.
  func reference(_ attack: TIDIM, _ problem: CurvedProblem) -> Tensor {
    let epsilon = attack.threat.epsilon.value
    var change = problem.images.zerosLike()
    var momentum = change
    for _ in 0..<attack.settings.steps {
      let current = (problem.images + change).clamp(min: 0, max: 1)
      var gradient = crossEntropyGradient(
        of: problem.classifier, at: current, labels: problem.labels)
      if attack.settings.variant == .authors {
        let position = problem.images + change
        gradient = gradient.maskedFill((position .< 0) .| (position .> 1), 0)
      }
      let smooth = convolved(gradient, side: attack.settings.kernel)
      momentum =
        momentum * attack.settings.decay + smooth / smooth.abs().mean([1, 2, 3], keepdim: true)
      if attack.threat.norm == .linf {
        change = (change + momentum.sign() * attack.settings.stepSize).clamp(
          min: -epsilon, max: epsilon)
      } else {
        change =
          change + momentum / momentum.norm(2, [1, 2, 3], keepdim: true) * attack.settings.stepSize
        change =
          change * (epsilon / change.norm(2, [1, 2, 3], keepdim: true)).clamp(max: 1)
      }
      if attack.settings.variant == .canonical {
        change = (problem.images + change).clamp(min: 0, max: 1) - problem.images
      }
    }
    return (problem.images + change).clamp(min: 0, max: 1)
  }

  @Test func gradientsAreSmoothedThenDividedThenAccumulated() {
    let problem = CurvedProblem(count: 12, shape: [2, 5, 6])
    for var attack in attacks(steps: 6, diversity: InputDiversity.off) {
      attack.threat.epsilon = attack.threat.norm == .linf ? 0.1 : 0.8
      for decay in [0, 0.1, 1] {
        attack.settings.decay = decay
        attack.settings.stepSize = attack.threat.epsilon.value / 3
        let result = run(
          attack, on: problem.classifier, problem.images, problem.labels, goal: .strongest)
        expectClose(result.images, reference(attack, problem), rtol: 0, atol: 2e-6, "\(attack)")
      }
    }
    // The box is reached, so that the variants differ.
    let ends = attacks(steps: 6, diversity: InputDiversity.off).filter { $0.threat == linf }
    let images = ends.map { attack in
      var attack = attack
      (attack.threat.epsilon, attack.settings.stepSize, attack.settings.decay) = (0.1, 0.03, 0.1)
      return run(
        attack, on: problem.classifier, problem.images, problem.labels, goal: .strongest
      ).images
    }
    #expect((images[0] - images[1]).abs().max().item() > 0.01)
  }

  @Test func theOptimumOfALinearClassifierIsReached() {
    for (norm, epsilon, dual) in [(Norm.linf, 0.1, 1.0), (.l2, 0.3, 2.0)] {
      let problem = LinearProblem(count: 20, bias: 3.5)
      let margins = problem.margins(problem.images).doubles
      let length = problem.weight.norm(dual).item()
      let attack = TIDIM(
        threat: ThreatModel(norm: norm, epsilon: Fraction(epsilon)), steps: 15, kernel: 1,
        diversity: InputDiversity.off)
      let result = run(attack, on: problem.classifier, problem.images, problem.labels)
      #expect(result.fooled == margins.map { $0 < epsilon * length })
      let strongest = run(
        attack, on: problem.classifier, problem.images, problem.labels, goal: .strongest)
      expectClose(
        problem.margins(strongest.images).doubles, margins.map { $0 - epsilon * length },
        rtol: 1e-4, atol: 1e-4, "\(norm)")
    }
  }

  @Test func diversityWithoutSizesToChooseFromChangesNothing() {
    let problem = CurvedProblem(shape: [1, 6, 6])
    for (attack, plain) in zip(
      attacks(steps: 5, diversity: InputDiversity(probability: 1, low: 1, high: 1)),
      attacks(steps: 5, diversity: InputDiversity.off))
    {
      for goal in [Goal.fool, .strongest] {
        let (a, b) = (
          run(attack, on: problem.classifier, problem.images, problem.labels, goal: goal),
          run(plain, on: problem.classifier, problem.images, problem.labels, goal: goal)
        )
        expectIdentical(a.images, b.images)
        #expect(a.costs == b.costs)
      }
    }
  }

  @Test func diversityChangesWhatTheGradientSees() {
    let problem = CurvedProblem(count: 8, shape: [1, 12, 12])
    let diversity = InputDiversity(probability: 1, low: 0.5, high: 1)
    let results = [diversity, .off].map {
      run(
        TIDIM(threat: linf, steps: 3, kernel: 1, diversity: $0), on: problem.classifier,
        problem.images, problem.labels, goal: .strongest
      ).images
    }
    for sample in 0..<8 {
      #expect((results[0] - results[1]).select(0, sample).abs().max().item() > 0.01)
    }
    // One step by hand: the gradient at the changed image, brought back to the image.
    let one = TIDIM(threat: linf, steps: 1, kernel: 1, diversity: diversity)
    let places = streams(Array(0..<8)).map {
      diversity.placement(height: 12, width: 12, stream: $0.keyed("diversity").keyed(0))
    }
    let view = DiverseViews([places], height: 12, width: 12, device: .cpu).view(
      of: Rows(Array(0..<8), images: problem.images, labels: problem.labels), at: 0)
    let gradient = view.pulledBack(
      crossEntropyGradient(
        of: problem.classifier, at: view.images(problem.images), labels: problem.labels))
    let expected = linf.project(
      problem.images + gradient.sign() * one.settings.stepSize, around: problem.images)
    expectClose(
      run(one, on: problem.classifier, problem.images, problem.labels, goal: .strongest).images,
      expected, rtol: 0, atol: 1e-6)
  }

  // MARK: Constraints

  @Test(arguments: [[7, 1, 1, 1], [7, 1, 1, 6], [7, 3, 5, 2], [7, 2, 9, 9]])
  func resultsLieInBallAndBox(_ shape: [Int]) {
    let each = [1] + shape.dropFirst()
    let images = Tensor.cat([
      .zeros(each), .ones(each), .full(each, 0.37), .full(each, 1e-20), .full(each, 0.999),
      ClosedForm.picture(each), ClosedForm.picture(each, "other"),
    ])
    let features = shape.dropFirst().reduce(1, *)
    let classifier = QuadraticClassifier(
      centres: ClosedForm.tensor("far", [3, features], scale: 0.3), sharpness: .ones([3]))
    let labels = classifier.predictions(images)
    for attack in attacks(steps: 6, diversity: InputDiversity(low: 0.7)) {
      for goal in [Goal.fool, .strongest] {
        let result = run(attack, on: classifier, images, labels, goal: goal)
        #expect(result.images.shape == shape && result.images.dtype == .float32)
        #expect(result.images.isfinite().all().bools() == [true] && !result.images.requiresGrad)
        #expect(result.images.min().item() >= 0 && result.images.max().item() <= 1)
        let sizes = attack.threat.size(of: result.images - images).doubles
        #expect(sizes.allSatisfy { $0 <= attack.threat.epsilon.value * (1 + 1e-5) + 1e-7 })
      }
    }
  }

  @Test func aBallOfNoSizeGivesTheImagesBack() {
    let problem = CurvedProblem(count: 12)
    for var attack in attacks(steps: 3) {
      attack.threat.epsilon = 0
      for goal in [Goal.fool, .strongest] {
        let result = run(
          attack, on: problem.classifier, problem.images, problem.labels, goal: goal)
        expectIdentical(result.images, problem.images)
      }
    }
  }

  @Test func imagesWithoutAGradientStay() {
    let images = ClosedForm.picture([3, 1, 4, 4])
    let flat = ClosureClassifier(classCount: 2) { images in
      let level = (images * 0).flatten(1).sum([1], keepdim: true)
      return .cat([level, level + 1], dim: 1)
    }
    for attack in attacks(steps: 3) {
      for goal in [Goal.fool, .strongest] {
        let result = run(attack, on: flat, images, .ones([3], dtype: .int64), goal: goal)
        expectIdentical(result.images, images)
        #expect(result.fooled == [false, false, false])
      }
    }
  }

  @Test func fooledMeansThatTheNetworkErrs() {
    let problem = CurvedProblem(shape: [1, 6, 6])
    for var attack in attacks(steps: 8, diversity: InputDiversity(low: 0.7)) {
      attack.threat.epsilon = attack.threat.norm == .linf ? 0.06 : 0.3
      attack.settings.stepSize = attack.threat.epsilon.value / 6
      Laws.expectTrueVerdicts(
        of: run(attack, on: problem.classifier, problem.images, problem.labels), on: problem)
    }
  }

  // MARK: More work, other batches

  @Test func moreStepsFoolNoFewer() {
    let problem = CurvedProblem(shape: [1, 6, 6])
    for var attack in attacks(steps: 1, diversity: InputDiversity(low: 0.7)) {
      Laws.expectMoreFooled([1, 2, 5, 12]) {
        attack.settings.steps = $0
        return run(attack, on: problem.classifier, problem.images, problem.labels).fooled
      }
    }
  }

  @Test func resultsDoNotDependOnBatchesOrOrder() {
    let problem = CurvedProblem(shape: [1, 6, 6])
    for attack in attacks(steps: 6, diversity: InputDiversity(low: 0.7)) {
      for goal in [Goal.fool, .strongest] {
        Laws.expectIndependenceOfBatches(count: 64, "\(attack.settings.variant) \(goal)") {
          indices in
          let rows = Tensor(indices, shape: [indices.count])
          return attack.run(
            on: problem.classifier, images: problem.images.indexSelect(rows),
            labels: problem.labels.indexSelect(rows), streams: streams(indices), goal: goal)
        }
      }
    }
  }

  // MARK: Costs and side effects

  @Test func theBudgetIsKeptAndCounted() {
    let problem = LinearProblem(shape: [1, 8, 8], bias: 20)
    for (probability, goal, forwards) in [
      (0, Goal.fool, 7 + 2), (1, .fool, 2 * 7 + 1), (0, .strongest, 7 + 2), (1, .strongest, 7 + 2),
    ] {
      let observed = ObservedClassifier(problem.classifier)
      let attack = TIDIM(
        threat: linf, steps: 7, diversity: InputDiversity(probability: Double(probability)))
      let result = run(attack, on: observed, problem.images, problem.labels, goal: goal)
      #expect(
        result.costs
          == [Cost](repeating: Cost(forwards: forwards, backwards: 7), count: 5))
      #expect(observed.imageCount == 5 * forwards && observed.modes == [false])
    }
    let wrong = LinearProblem(bias: -9)
    let result = run(
      TIDIM(threat: linf, steps: 3), on: wrong.classifier, wrong.images, wrong.labels)
    #expect(result.costs == [Cost](repeating: Cost(forwards: 1), count: 5))
  }

  @Test func imagesAreJudgedOnceEach() {
    // With diversity at some steps, an iterate costs a second forward where the first saw it changed.
    let problem = LinearProblem(shape: [1, 8, 8], bias: 20)
    let attack = TIDIM(threat: linf, steps: 9, diversity: InputDiversity(probability: 0.5))
    let result = run(attack, on: problem.classifier, problem.images, problem.labels)
    for (sample, cost) in result.costs.enumerated() {
      let stream = streams([sample])[0].keyed("diversity")
      let changed = (1..<9).count {
        InputDiversity(probability: 0.5).placement(height: 8, width: 8, stream: stream.keyed($0))
          != nil
      }
      #expect(cost == Cost(forwards: 1 + 9 + changed + 1, backwards: 9))
    }
    #expect(Set(result.costs).count > 1)
  }

  @Test func fooledSamplesLeaveTheWork() {
    let problem = CurvedProblem(shape: [1, 6, 6])
    for attack in attacks(steps: 8, diversity: InputDiversity(low: 0.7)) {
      let observed = ObservedClassifier(problem.classifier)
      let result = run(attack, on: observed, problem.images, problem.labels)
      let total = result.costs.reduce(Cost(), +)
      #expect(observed.imageCount == total.forwards && Set(result.costs).count > 3)
      for (cost, fooled) in zip(result.costs, result.fooled) where !fooled {
        #expect(cost.backwards == 8)
      }
    }
  }

  @Test func theNetworkStaysAsItWas() {
    for attack in attacks(steps: 3, diversity: InputDiversity(probability: 0.5, low: 0.5)) {
      Laws.expectUntouched { network, images, labels in
        _ = run(attack, on: network, images, labels)
      }
    }
  }

  // MARK: Settings

  @Test func variantsHaveTheirUsualSettings() throws {
    let parsed = try AttackList.parse(
      "ti-dim-40:variant=authors,ti-dim,ti-dim-10:kernel=7:decay=0.5:probability=0.7:high=33/32",
      threat: linf, among: [TIDIM.entry]
    ).compactMap { $0 as? TIDIM }
    #expect(
      parsed == [
        TIDIM(threat: linf, steps: 40, variant: .authors), TIDIM(threat: linf),
        TIDIM(
          threat: linf, steps: 10, decay: 0.5, kernel: 7,
          diversity: InputDiversity(probability: 0.7, high: 33.0 / 32)),
      ])
    #expect(parsed.map(\.name) == ["ti-dim-40", "ti-dim-40", "ti-dim-10"])
    #expect(
      parsed[0].record == [
        "variant": "authors", "steps": 40, "stepSize": 0.007, "decay": 0.1, "kernel": 15,
        "probability": 0.0, "low": 0.875, "high": 1.0,
      ])
    #expect(parsed[1].settings.stepSize == linf.epsilon.value / 10 && parsed[1].settings.decay == 1)
    #expect(parsed[1].ball == linf)
  }

  @Test(arguments: [
    ("ti-dim-3:kernel=4", Norm.linf, "odd"), ("ti-dim-3:variant=authors", .l2, "linf"),
    ("ti-dim-3:low=1.5", .linf, "high"), ("ti-dim-3:probability=2", .linf, "at most 1"),
    ("ti-dim-3:momentum=1", .linf, "decay"), ("ti-dim-3:variant=mine", .linf, "canonical, authors"),
  ])
  func wrongSettingsAreRefused(_ text: String, _ norm: Norm, _ part: String) {
    do {
      _ = try AttackList.parse(
        text, threat: ThreatModel(norm: norm, epsilon: 0.1), among: [TIDIM.entry])
      Issue.record("\(text) was taken")
    } catch {
      #expect(error.description.contains(part), "\(error)")
    }
  }
}
