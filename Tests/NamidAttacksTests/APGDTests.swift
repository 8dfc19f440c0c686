import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct APGDTests {
  static let threats = [
    ThreatModel(norm: .linf, epsilon: eight), ThreatModel(norm: .l2, epsilon: 0.5),
    ThreatModel(norm: .l1, epsilon: 1.5),
  ]

  // MARK: What is reached

  @Test(arguments: APGD.Objective.allCases)
  func aLinearClassifierIsFooledWhereItsMarginIsInReach(_ objective: APGD.Objective) {
    for norm in Norm.allCases {
      let problem = LinearProblem(count: 40, bias: 3.5)
      let margins = problem.margins(problem.images).doubles
      let length = problem.weight.norm(norm.dual).item()
      let middle = margins.sorted()[20]
      let epsilon = middle / length
      let result = APGD(
        objective, threat: ThreatModel(norm: norm, epsilon: Fraction(epsilon)), largerRadii: true
      ).run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<40)))
      var (near, far) = (0, 0)
      for (margin, isFooled) in zip(margins, result.fooled) {
        if margin * 1.005 <= epsilon * length {
          #expect(isFooled, "\(norm): \(margin) of \(epsilon * length)")
          near += 1
        } else if margin >= epsilon * length * 1.001 {
          #expect(!isFooled, "\(norm): \(margin) of \(epsilon * length)")
          far += 1
        }
      }
      #expect(near > 10 && far > 10)
    }
  }

  @Test func theBestImageInTheBoxIsReached() {
    // Images near the edges of the box, which cuts much of the ball off.
    let shape = [6, 1, 4, 5]
    let problem = LinearProblem(bias: 6)
    let images = ClosedForm.tensor("edges", shape, scale: 0.48, offset: 0.5)
    let labels = Tensor.ones([6], dtype: .int64)
    let weight = problem.weight.doubles
    for threat in [
      ThreatModel(norm: .linf, epsilon: 0.3), ThreatModel(norm: .l2, epsilon: 1),
      ThreatModel(norm: .l1, epsilon: 3),
    ] {
      let result = APGD(.dlr, threat: threat, restarts: 5, largerRadii: true).run(
        on: problem.classifier, images: images, labels: labels, streams: streams(Array(0..<6)),
        goal: .strongest)
      let before = problem.margins(images).doubles
      let after = problem.margins(result.images).doubles
      for row in 0..<6 {
        let room = zip(images.select(0, row).doubles, weight).map { $1 > 0 ? $0 : 1 - $0 }
        let most = Self.largestGain(weight.map(abs), room, threat)
        let gain = before[row] - after[row]
        #expect(gain <= most * (1 + 1e-5), "\(threat.norm) \(row)")
        // Clipping after scaling is not the nearest point of ball and box (L2). Values that the box holds back still
        // take their share of a step, which on few pixels can end a run early (L1).
        let share = threat.norm == .linf ? 0.9999 : threat.norm == .l2 ? 0.95 : 0.6
        #expect(gain >= most * share, "\(threat.norm) \(row): \(gain) of \(most)")
      }
    }
  }

  /// The largest Σ wᵢ·mᵢ with 0 ≤ m ≤ room and ‖m‖ ≤ ε.
  static func largestGain(_ weight: [Double], _ room: [Double], _ threat: ThreatModel) -> Double {
    let epsilon = threat.epsilon.value
    switch threat.norm {
    case .linf: return zip(weight, room).map { $0 * min($1, epsilon) }.reduce(0, +)
    case .l1:
      var left = epsilon
      return zip(weight, room).sorted { $0.0 > $1.0 }.map { weight, room in
        defer { left -= min(room, left) }
        return weight * min(room, left)
      }.reduce(0, +)
    case .l2:
      // m = min(λ·w, room) with the largest λ that fits.
      var (low, high) = (0.0, 1e6)
      for _ in 0..<200 {
        let middle = (low + high) / 2
        let size = zip(weight, room).map { min($0 * middle, $1) * min($0 * middle, $1) }
        if size.reduce(0, +) <= epsilon * epsilon { low = middle } else { high = middle }
      }
      return zip(weight, room).map { $0 * min($0 * low, $1) }.reduce(0, +)
    }
  }

  @Test func anyMisclassificationCountsAndTargetsAreRankedByTheCleanLogits() {
    // Pixel p lowers or raises class p alone; only the class ranked fourth is in reach.
    let weight = Tensor(
      [Float(0), 0, 0, 0, 0, 0.1, 0, 0, 0, 0, 0.1, 0, 0, 0, 0, 6, 0, 0, 0, 0], shape: [5, 4])
    let classifier = LinearClassifier(
      weight: weight, bias: Tensor([Float(5), 4, 3.5, 0, -9], shape: [5]))
    let images = Tensor.full([3, 1, 2, 2], 0.5)
    let labels = Tensor.zeros([3], dtype: .int64)
    let threat = ThreatModel(norm: .linf, epsilon: 0.4)
    for (targets, fools) in [(1, false), (2, false), (3, true)] {
      let observed = ObservedClassifier(classifier)
      let result = APGD(.targetedDLR, threat: threat, steps: 10, targets: targets).run(
        on: observed, images: images, labels: labels, streams: streams([0, 1, 2]))
      #expect(result.fooled == [fools, fools, fools], "\(targets) targets")
      if !fools { #expect(observed.callCount == 1 + targets * 11) }
    }
  }

  // MARK: Constraints

  @Test(arguments: APGD.Objective.allCases)
  func hostileImagesStayInBallAndBox(_ objective: APGD.Objective) {
    for shape in [[4, 1, 3, 4], [4, 3, 2, 9], [4, 1, 1, 1]] {
      let problem = CurvedProblem(count: 4, shape: Array(shape.dropFirst()))
      for images in [Tensor.zeros(shape), .ones(shape), .full(shape, 0.5), problem.images] {
        for threat in Self.threats + [ThreatModel(norm: .l1, epsilon: 100)] {
          for goal in [Goal.fool, .strongest] {
            let result = APGD(
              objective, threat: threat, steps: 5, largerRadii: true
            ).run(
              on: problem.classifier, images: images, labels: problem.labels,
              streams: streams(Array(0..<4)), goal: goal)
            #expect(result.images.shape == shape && result.images.dtype == .float32)
            #expect(result.images.min().item() >= 0 && result.images.max().item() <= 1)
            let sizes = threat.size(of: result.images - images).doubles
            #expect(sizes.allSatisfy { $0 <= threat.epsilon.value * (1 + 1e-5) }, "\(threat)")
            let wrong = (problem.classifier.predictions(result.images) .!= problem.labels).bools()
            if goal == .fool { #expect(wrong == result.fooled) }
          }
        }
      }
    }
  }

  @Test func aBallOfNoSizeGivesTheImagesBack() {
    let problem = CurvedProblem(count: 12)
    for norm in Norm.allCases {
      for objective in APGD.Objective.allCases {
        let attack = APGD(objective, threat: ThreatModel(norm: norm, epsilon: 0), steps: 3)
        let result = attack.run(
          on: problem.classifier, images: problem.images, labels: problem.labels,
          streams: streams(Array(0..<12)))
        expectIdentical(result.images, problem.images)
        #expect(result.costs == [Cost](repeating: Cost(forwards: 1), count: 12))
      }
    }
  }

  @Test func aNetworkWithoutUsableLogitsIsWrong() {
    let broken = ClosureClassifier(classCount: 4) { images in
      let rows = images.flatten(1)
      // Right and with numbers only at the images themselves.
      let moved = (rows - 0.5).abs().sum([1], keepdim: true)
      return Tensor([Float(1), 0, 0, 0], shape: [1, 4]) - moved / (moved * 0 + moved) * 0
        + rows.sum([1], keepdim: true) * (moved .> 0).to(.float32) * Double.infinity
    }
    let images = Tensor.full([2, 1, 2, 2], 0.5)
    for objective in APGD.Objective.allCases {
      let result = APGD(objective, threat: Self.threats[0], steps: 3).run(
        on: broken, images: images, labels: .zeros([2], dtype: .int64), streams: streams([0, 1]))
      #expect(result.fooled == [true, true])
    }
  }

  // MARK: More work never hurts

  @Test func moreStartsFoolNoFewer() {
    let problem = CurvedProblem()
    for threat in Self.threats {
      var before = [Bool](repeating: false, count: 64)
      for restarts in [1, 2, 4] {
        let result = APGD(.dlr, threat: threat, steps: 4, restarts: restarts).run(
          on: problem.classifier, images: problem.images, labels: problem.labels,
          streams: streams(Array(0..<64)))
        #expect(zip(before, result.fooled).allSatisfy { !$0 || $1 })
        before = result.fooled
      }
      #expect(before.contains(true) && before.contains(false))
    }
  }

  // MARK: Batches

  @Test(arguments: APGD.Objective.allCases)
  func resultsDoNotDependOnBatchesOrOrder(_ objective: APGD.Objective) {
    let problem = CurvedProblem()
    for threat in Self.threats {
      let attack = APGD(objective, threat: threat, steps: 8, restarts: 2, largerRadii: true)
      func run(_ indices: [Int]) -> AttackResult {
        let rows = Tensor(indices, shape: [indices.count])
        return attack.run(
          on: problem.classifier, images: problem.images.indexSelect(rows),
          labels: problem.labels.indexSelect(rows), streams: streams(indices))
      }
      let whole = run(Array(0..<64))
      #expect(whole.fooled.contains(true) && whole.fooled.contains(false))
      let permuted = RandomStream(seed: 1).permutation(64)
      for (size, order) in [(1, Array(20..<28)), (7, permuted), (64, permuted)] {
        for first in stride(from: 0, to: order.count, by: size) {
          let indices = Array(order[first..<min(first + size, order.count)])
          let part = run(indices)
          #expect(part.fooled == indices.map { whole.fooled[$0] })
          #expect(part.costs == indices.map { whole.costs[$0] })
          expectIdentical(
            part.images, whole.images.indexSelect(Tensor(indices, shape: [indices.count])))
        }
      }
    }
  }
}
