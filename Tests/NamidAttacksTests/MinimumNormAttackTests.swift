import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidAttacks

/// What holds for every minimum-norm attack.
@Suite(.serialized) struct MinimumNormAttackTests {
  let l2 = ThreatModel(norm: .l2, epsilon: Fraction(0.2))

  /// Attacks with a budget that should reach the optimum of a linear classifier.
  var thorough: [any Attack] {
    [
      // Black and white pixels take about 400 iterations to begin to move.
      CarliniWagner(threat: l2, iterations: 600, searchSteps: 6, initialConstant: 1),
      DDN(threat: l2, levels: 0),
    ] + Norm.allCases.map { FMN(threat: ThreatModel(norm: $0, epsilon: Fraction(0.2))) }
  }

  func run(
    _ attack: any Attack, _ problem: CurvedProblem, _ indices: [Int], goal: Goal = .fool
  ) -> AttackResult {
    let rows = Tensor(indices, shape: [indices.count])
    return attack.run(
      on: problem.classifier, images: problem.images.indexSelect(rows),
      labels: problem.labels.indexSelect(rows), streams: streams(indices), goal: goal)
  }

  // MARK: What is reached

  @Test func theOptimumOfALinearClassifierIsReached() throws {
    let problem = LinearProblem(bias: 2.8)
    // From far inside the box to images with many pixels at its edges.
    let images = Tensor.cat(
      [(0.1, 0.5), (0.3, 0.3), (0.6, 0.5)].map { scale, offset in
        ClosedForm.tensor("images", [8, 1, 4, 5], scale: scale, offset: offset)
          .clamp(min: 0, max: 1)
      })
    let labels = Tensor.ones([24], dtype: .int64)
    let margins = problem.margins(images).doubles
    #expect(margins.count { $0 > 0.1 } > 10 && margins.contains { $0 < 0 })
    let weight = problem.weight.doubles
    for attack in thorough {
      let norm = try #require(attack.ball).norm
      let result = attack.run(
        on: problem.classifier, images: images, labels: labels,
        streams: streams(Array(0..<24)))
      let distances = try #require(result.distances)
      for i in 0..<24 {
        if margins[i] <= 0 {
          #expect(distances[i] == 0)
          continue
        }
        // Class 0 wins where w·x + b falls below 0.
        let best = smallestDistance(
          images.select(0, i).doubles, weight.map { -$0 }, gap: margins[i], norm)
        let optimum = try #require(best)
        let ratio = Double(distances[i]) / optimum
        #expect(ratio > 1 - 1e-5 && ratio < 1.02, "\(attack.name) \(norm) \(i) \(ratio)")
      }
    }
  }

  @Test func theClosedFormIsTheBruteForceInsideTheBox() {
    let problem = LinearProblem(bias: 0.5)
    let image = [Double](repeating: 0.5, count: 20)
    for norm in Norm.allCases {
      let found = smallestDistance(image, problem.weight.doubles, gap: 0.3, norm)
      expectClose(
        found ?? 0, 0.3 / problem.weight.to(.float64).norm(norm.dual).item(), rtol: 1e-9)
      #expect(smallestDistance(image, problem.weight.doubles, gap: 30, norm) == nil)
    }
  }

  @Test func distancesAreThoseOfTheReturnedImages() throws {
    let problem = CurvedProblem()
    for attack in minimumNormAttacks() {
      let result = run(attack, problem, Array(0..<64))
      let distances = try #require(result.distances)
      let found = distances.map { $0 < .infinity }
      let wrong = (problem.classifier.predictions(result.images) .!= problem.labels).bools()
      #expect(wrong == found)
      let clean = (problem.classifier.predictions(problem.images) .!= problem.labels).bools()
      #expect(clean == distances.map { $0 == 0 } && clean.contains(true))
      #expect(result.images.min().item() >= 0 && result.images.max().item() <= 1)
      let sizes = try sizes(result, problem.images, attack)
      for i in 0..<64 where found[i] { #expect(distances[i] == sizes[i]) }
      for i in 0..<64 where !found[i] { #expect(sizes[i] == 0) }
      let radius = try #require(attack.ball).epsilon.value
      #expect(result.fooled == distances.map { Double($0) <= radius * (1 + 1e-6) })
      // There are samples of all kinds.
      #expect(
        zip(clean, result.fooled).contains { !$0 && $1 } && result.fooled.contains(false))
      #expect(zip(found, result.fooled).contains { $0 && !$1 })
      // Findings stand off the boundary, where rounding would decide.
      let spread = problem.classifier.logits(problem.images)
      let margins = AttackLoss.margin.values(
        problem.classifier.logits(result.images), problem.labels)
      let share = (margins / (spread.amax([1]) - spread.amin([1]))).floats()
      for i in 0..<64 where found[i] && !clean[i] { #expect(share[i] > 0.99e-4) }
    }
  }

  @Test func neitherRadiusNorGoalHasASayInTheSearch() throws {
    let problem = CurvedProblem(count: 24)
    let indices = Array(0..<24)
    let clean = (problem.classifier.predictions(problem.images) .!= problem.labels).bools()
    for (small, large) in zip(minimumNormAttacks(epsilon: 0), minimumNormAttacks(epsilon: 100)) {
      let result = run(small, problem, indices)
      #expect(result.fooled == clean && clean.contains(true))
      let other = run(large, problem, indices, goal: .strongest)
      #expect(other.fooled == other.distances?.map { $0 < .infinity })
      #expect(result.distances == other.distances && result.costs == other.costs)
      expectIdentical(result.images, other.images)
    }
  }

  // MARK: Batches

  @Test func resultsDoNotDependOnBatchesOrOrder() throws {
    let problem = CurvedProblem(count: 30)
    for attack in minimumNormAttacks() {
      let whole = run(attack, problem, Array(0..<30))
      let distances = try #require(whole.distances)
      let order = RandomStream(seed: 1).permutation(30)
      for (size, upTo) in [(1, 8), (7, 30), (30, 30)] {
        for first in stride(from: 0, to: upTo, by: size) {
          let indices = Array(order[first..<min(first + size, 30)])
          let part = run(attack, problem, indices)
          #expect(part.distances == indices.map { distances[$0] })
          #expect(part.costs == indices.map { whole.costs[$0] })
          expectIdentical(
            part.images, whole.images.indexSelect(Tensor(indices, shape: [indices.count])))
        }
      }
    }
  }

  // MARK: Hostile inputs

  @Test(arguments: [[4, 3, 2, 7], [4, 1, 1, 1], [4, 1, 5, 2]])
  func imagesOfEveryKindStayImages(_ shape: [Int]) throws {
    let each = Array(shape.dropFirst())
    let images = Tensor.cat(
      [
        .zeros([1] + each), .ones([1] + each), .full([1] + each, 0.5),
        ClosedForm.picture([1] + each),
      ])
    let problem = LinearProblem(shape: each)
    // Each label is what the network says, so that there is work on all.
    let labels = problem.classifier.predictions(images)
    for attack in minimumNormAttacks() {
      let result = attack.run(
        on: problem.classifier, images: images, labels: labels, streams: streams([0, 1, 2, 3]))
      #expect(result.images.shape == shape && result.images.dtype == .float32)
      #expect(result.images.isfinite().all().bools() == [true])
      #expect(result.images.min().item() >= 0 && result.images.max().item() <= 1)
      let sizes = try sizes(result, images, attack)
      for (distance, size) in zip(result.distances ?? [], sizes) {
        #expect(distance == size || (distance == .infinity && size == 0))
      }
    }
  }

  @Test func gradientsThatAreNoNumbersDoNoHarm() {
    let problem = LinearProblem(count: 3, bias: 4)
    let broken = ClosureClassifier(classCount: 2) {
      problem.classifier.logits($0)
        + ($0.flatten(1).sum([1], keepdim: true) * 0).square().sqrt()
    }
    for attack in minimumNormAttacks() {
      let result = attack.run(
        on: broken, images: problem.images, labels: problem.labels, streams: streams([0, 1, 2]))
      #expect(result.images.isfinite().all().bools() == [true])
      #expect(result.images.min().item() >= 0 && result.images.max().item() <= 1)
    }
  }

  // MARK: Budget

  @Test func aNetworkThatIsNeverFooledCostsEveryPass() throws {
    let problem = LinearProblem(bias: 60)
    let attacks: [(any Attack, Cost)] = [
      (DDN(threat: l2, steps: 7), Cost(forwards: 9, backwards: 7)),
      (FMN(threat: l2, steps: 7), Cost(forwards: 9, backwards: 7)),
      (
        CarliniWagner(threat: l2, iterations: 6, searchSteps: 3, abortsEarly: false),
        Cost(forwards: 2 + 3 * 6, backwards: 1 + 3 * 5)
      ),
    ]
    for (attack, cost) in attacks {
      let observed = ObservedClassifier(problem.classifier)
      let result = attack.run(
        on: observed, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<5)))
      #expect(result.costs == [Cost](repeating: cost, count: 5))
      #expect(observed.imageCount == 5 * cost.forwards && observed.callCount == cost.forwards)
      #expect(observed.modes == [false])
      #expect(result.distances == [Float](repeating: .infinity, count: 5))
      expectIdentical(result.images, problem.images)
    }
  }

  @Test func theLedgerIsWhatTheNetworkSaw() {
    let problem = CurvedProblem()
    let clean = (problem.classifier.predictions(problem.images) .!= problem.labels).bools()
    for attack in minimumNormAttacks() {
      let observed = ObservedClassifier(problem.classifier)
      let result = attack.run(
        on: observed, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)))
      #expect(observed.imageCount == result.costs.reduce(Cost(), +).forwards)
      for (cost, isWrong) in zip(result.costs, clean) where isWrong {
        #expect(cost == Cost(forwards: 1))
      }
      #expect(result.costs.allSatisfy { $0.queries == 0 })
    }
  }

  // MARK: The network

  @Test(arguments: [true, false]) func theNetworkIsLeftAsItWas(_ training: Bool) throws {
    let images = ClosedForm.picture([6, 1, 5, 6])
    let labels = Tensor([0, 1, 2, 0, 1, 2], shape: [6])
    for attack in minimumNormAttacks() {
      let network = SmallNetwork()
      network.isTraining = true
      network.logits(images).crossEntropy(labels).backward()
      network.isTraining = training
      let state = network.store.state.map { $0.tensor.detach().clone() }
      let gradients = try network.store.parameters.map { try #require($0.grad).clone() }
      let modes = network.modes
      let before = images.clone()
      expectNoTensorLeak {
        _ = attack.run(
          on: network, images: images, labels: labels, streams: streams(Array(0..<6)))
      }
      #expect(network.isTraining == training && network.modes == modes.union([false]))
      for ((name, tensor), old) in zip(network.store.state, state) {
        expectIdentical(tensor.detach(), old, name)
      }
      for (parameter, old) in zip(network.store.parameters, gradients) {
        expectIdentical(try #require(parameter.grad), old)
        #expect(parameter.requiresGrad)
      }
      expectIdentical(images, before)
      #expect(!images.requiresGrad)
    }
  }

  // MARK: Names

  let entries = [CarliniWagner.entry, DDN.entry, FMN.entry]

  @Test func settingsAreReadAndReported() throws {
    let attacks = try AttackList.parse(
      "cw,cw:preset=authors,cw-20:preset=authors:confidence=0:lr=0.02,ddn,ddn-20:levels=16,fmn",
      threat: l2, among: entries)
    #expect(
      attacks.map(\.name) == ["cw-1000", "cw-10", "cw-20", "ddn-100", "ddn-20", "fmn-100"])
    #expect(attacks[0] as? CarliniWagner == CarliniWagner(threat: l2))
    #expect(
      attacks[1].record == [
        "preset": "authors", "iterations": 10, "searchSteps": 4, "learningRate": 0.01,
        "initialConstant": 1.0, "confidence": 1.0, "abortsEarly": true,
      ])
    #expect(
      attacks[2] as? CarliniWagner
        == CarliniWagner(in: l2) {
          ($0.preset, $0.iterations, $0.searchSteps) = (.authors, 20, 4)
          ($0.learningRate, $0.initialConstant) = (0.02, 1)
        })
    #expect(attacks[3] as? DDN == DDN(threat: l2))
    #expect(
      attacks[4].record == ["steps": 20, "gamma": 0.05, "initialNorm": 1.0, "levels": 16])
    #expect(
      attacks[5].record == [
        "steps": 100, "alpha": 1.0, "finalAlpha": 0.01, "gamma": 0.05, "finalGamma": 0.001,
      ])
    #expect(attacks.allSatisfy { $0.ball == l2 })
  }

  @Test func settingsThatMakeNoSenseAreRefused() {
    func message(_ text: String, _ norm: Norm = .l2) -> String {
      do {
        let threat = ThreatModel(norm: norm, epsilon: 1)
        return "parsed: \(try AttackList.parse(text, threat: threat, among: entries))"
      } catch {
        return error.description
      }
    }
    #expect(message("ddn:levels=1").contains("0 for no grid"))
    #expect(message("ddn-0").contains("from 1 to"))
    #expect(message("ddn:gamma=1").contains("at most 0.99"))
    #expect(message("cw:preset=mine").contains("standard, authors"))
    #expect(message("cw:step=1").contains("searchSteps"))
    #expect(message("cw", .linf).contains("has no linf form"))
    #expect(message("ddn", .l1).contains("has no l1 form"))
    for norm in Norm.allCases { #expect(message("fmn-3", norm).hasPrefix("parsed")) }
  }
}
