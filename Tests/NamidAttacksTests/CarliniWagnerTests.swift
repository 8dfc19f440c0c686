import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct CarliniWagnerTests {
  let threat = ThreatModel(norm: .l2, epsilon: Fraction(0.3))

  func run(
    _ attack: CarliniWagner, on classifier: LinearClassifier, _ images: Tensor, _ labels: Tensor
  ) -> AttackResult {
    attack.run(
      on: classifier, images: images, labels: labels, streams: streams(Array(0..<images.size(0))))
  }

  // MARK: The change of variable

  @Test func saturatedPixelsMove() throws {
    // Black and white pixels only: with w infinite there would be no way to begin.
    let bits = (0..<80).map { Float(($0 * 7 + $0 / 20 * 3) % 5 < 2 ? 1 : 0) }
    let images = Tensor(bits, shape: [4, 1, 4, 5])
    let problem = LinearProblem(bias: 0)
    let labels = problem.classifier.predictions(images)
    let result = run(
      CarliniWagner(
        threat: threat, iterations: 1200, searchSteps: 3, initialConstant: 10,
        abortsEarly: false), on: problem.classifier, images, labels)
    let margins = problem.margins(images).doubles
    let signs = labels.ints().map { $0 == 1 ? -1.0 : 1.0 }
    for (i, distance) in try #require(result.distances).enumerated() {
      let optimum = smallestDistance(
        images.select(0, i).doubles, problem.weight.doubles.map { $0 * signs[i] },
        gap: abs(margins[i]), .l2)
      #expect(Double(distance) < (try #require(optimum)) * 1.1)
      let moved = (result.images.select(0, i) - images.select(0, i)).abs().doubles
      #expect(moved.count { $0 > 0.05 } >= 3)
    }
  }

  @Test func theFirstStepIsAdamsOnTheVariable() {
    let problem = LinearProblem(count: 1, bias: 2.6)
    let recorder = Recorder(problem.classifier)
    _ = CarliniWagner(
      threat: threat, iterations: 2, searchSteps: 1, learningRate: 0.03, initialConstant: 1e-3
    ).run(
      on: recorder.classifier, images: problem.images, labels: problem.labels,
      streams: streams([0]))
    // Unattacked, the common start, and the first step: every w moves by the rate, against the weight's sign.
    expectClose(recorder.images[1], problem.images, rtol: 0, atol: 1e-6)
    let variable = ((problem.images.to(.float64) * 2 - 1) * (1 - 1e-6)).atanh()
    let signs = problem.weight.sign().reshape(problem.images.shape)
    expectClose(
      recorder.images[2], ((variable - signs * 0.03).tanh() + 1) * 0.5, rtol: 1e-5)
  }

  @Test func theLastIterationCounts() {
    let problem = LinearProblem(bias: 3.5)
    let result = run(
      CarliniWagner(
        threat: threat, iterations: 1, searchSteps: 1, learningRate: 0.7, initialConstant: 10),
      on: problem.classifier, problem.images, problem.labels)
    #expect(result.distances?.allSatisfy { $0 < .infinity } == true)
    #expect(result.costs == [Cost](repeating: Cost(forwards: 4, backwards: 1), count: 5))
  }

  // MARK: The search for c

  @Test func constantsFollowTheBinarySearch() {
    var constants = CarliniWagnerConstants(count: 4, initial: 1e-3, device: .cpu)
    func narrow(_ worked: [Bool]) {
      constants.narrow(Tensor(worked.map { $0 ? 1 : 0 }, shape: [4]) .== 1)
    }
    narrow([false, true, false, false])
    expectClose(constants.values.doubles, [1e-2, 5e-4, 1e-2, 1e-2], rtol: 1e-6)
    narrow([true, false, false, true])
    expectClose(constants.values.doubles, [5.5e-3, 7.5e-4, 1e-1, 5.5e-3], rtol: 1e-6)
    narrow([true, true, false, false])
    expectClose(constants.values.doubles, [3.25e-3, 6.25e-4, 1, 7.75e-3], rtol: 1e-6)
    constants.takeUpperBounds()
    expectClose(constants.values.doubles, [5.5e-3, 7.5e-4, 1e10, 1e-2], rtol: 1e-6)
  }

  @Test func moreSearchStepsFindNoLargerPerturbations() throws {
    let problem = CurvedProblem(count: 32)
    var before = [Float](repeating: .infinity, count: 32)
    for steps in [1, 2, 4, 8] {
      let attack = CarliniWagner(
        threat: threat, iterations: 30, searchSteps: steps, learningRate: 0.1)
      let result = attack.run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<32)))
      let distances = try #require(result.distances)
      #expect(zip(distances, before).allSatisfy { $0 <= $1 })
      if steps > 2 { #expect(distances != before) }
      before = distances
    }
    #expect(before.allSatisfy { $0 < .infinity })
  }

  @Test func tenSearchStepsEndOnAConstantThatWorks() {
    // Never fooled: the last of ten descents, and no other, uses 1e10.
    let attack = CarliniWagner(
      threat: threat, iterations: 1, searchSteps: 10, initialConstant: 1e-6, abortsEarly: false)
    let image = Tensor([Float(0.5)], shape: [1, 1, 1, 1])
    let weak = LinearClassifier(
      weight: Tensor([Float(0), 1e-12], shape: [2, 1]), bias: Tensor([Float(0), 1], shape: [2]))
    let recorder = Recorder(weak)
    _ = attack.run(
      on: recorder.classifier, images: image, labels: Tensor([1], shape: [1]),
      streams: streams([0]))
    let moves = recorder.images.dropFirst(2).map { abs($0.item() - 0.5) }
    // c·|w|/2 is Adam's gradient; below its floor of 1e-8 steps are short.
    #expect(moves.count == 10 && moves.dropLast().allSatisfy { $0 < 1e-3 } && moves[9] > 4e-3)
  }

  // MARK: The objective

  @Test func negativeLogitsAreLogits() throws {
    let problem = LinearProblem(count: 8, bias: 3.5)
    let far = LinearClassifier(
      weight: problem.classifier.weight, bias: problem.classifier.bias - 64)
    let attack = CarliniWagner(threat: threat, iterations: 100, initialConstant: 0.1)
    let plain = run(attack, on: problem.classifier, problem.images, problem.labels)
    let shifted = run(attack, on: far, problem.images, problem.labels)
    let distances = try #require(plain.distances)
    #expect(distances.allSatisfy { $0 > 0 && $0 < .infinity })
    expectClose(try #require(shifted.distances), distances, rtol: 1e-2)
  }

  @Test(arguments: [0, 0.25, 1.0]) func confidenceIsReached(_ confidence: Double) throws {
    let problem = LinearProblem(count: 8, bias: 3.5)
    let attack = CarliniWagner(
      threat: threat, iterations: 150, initialConstant: 0.1, confidence: confidence)
    let result = run(attack, on: problem.classifier, problem.images, problem.labels)
    let margins = problem.margins(problem.images).doubles
    let length = problem.weight.norm(2).item()
    let leads = problem.margins(result.images).doubles.map { -$0 }
    for (i, distance) in try #require(result.distances).enumerated() {
      #expect(leads[i] >= confidence && leads[i] < confidence + 0.05)
      let optimum = (margins[i] + confidence) / length
      #expect(Double(distance) > optimum * (1 - 1e-5) && Double(distance) < optimum * 1.02)
    }
  }

  @Test func aConfidenceOutOfReachIsNotReached() {
    let problem = LinearProblem(count: 3, bias: 3.5)
    let attack = CarliniWagner(
      threat: threat, iterations: 40, searchSteps: 6, initialConstant: 1, confidence: 60)
    let result = run(attack, on: problem.classifier, problem.images, problem.labels)
    #expect(result.distances == [.infinity, .infinity, .infinity])
    expectIdentical(result.images, problem.images)
  }

  // MARK: Giving up

  @Test func eachSampleGivesUpForItself() {
    let problem = CurvedProblem()
    let attack = CarliniWagner(
      threat: threat, iterations: 100, searchSteps: 5, initialConstant: 0.1)
    func run(_ indices: [Int], _ attack: CarliniWagner) -> AttackResult {
      let rows = Tensor(indices, shape: [indices.count])
      return attack.run(
        on: problem.classifier, images: problem.images.indexSelect(rows),
        labels: problem.labels.indexSelect(rows), streams: streams(indices))
    }
    let whole = run(Array(0..<64), attack)
    // Descents end at different times, each as it would alone.
    #expect(Set(whole.costs.map(\.forwards)).count > 4)
    for i in [0, 5, 17, 40] {
      let alone = run([i], attack)
      #expect(alone.costs == [whole.costs[i]] && alone.distances?.first == whole.distances?[i])
    }
    var patient = attack
    patient.settings.abortsEarly = false
    let full = run(Array(0..<64), patient)
    let work = zip(whole.costs, full.costs).filter { $1.forwards > 1 }
    #expect(work.allSatisfy { $0.forwards <= $1.forwards })
    #expect(work.contains { $0.forwards < $1.forwards / 2 })
    #expect(full.costs.allSatisfy { [1, 503].contains($0.forwards) })
  }

  @Test func aStalledDescentEndsAtTheFirstCheck() {
    let problem = LinearProblem(bias: 60)
    let flat = LinearClassifier(
      weight: problem.classifier.weight * 0, bias: problem.classifier.bias)
    for (iterations, check) in [(50, 5), (10, 1), (7, 1)] {
      let attack = CarliniWagner(threat: threat, iterations: iterations, searchSteps: 3)
      let result = run(attack, on: flat, problem.images, problem.labels)
      let cost = Cost(forwards: 2 + 3 * check, backwards: 1 + 3 * (check - 1))
      #expect(result.costs == [Cost](repeating: cost, count: 5))
    }
  }
}
