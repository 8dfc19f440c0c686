import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// Five linear classes in the box, with the exact distance to the nearest boundary.
struct LinearClasses {
  let classifier: LinearClassifier
  let images: Tensor
  let labels: Tensor
  /// z_k − z_y of each image for every other class, exact distances per norm included.
  let distances: [Norm: [Double]]

  /// `scale` 0.1 keeps images away from the faces of the box; 0.6 puts many pixels on them.
  init(count: Int = 12, shape: [Int] = [2, 3, 4], scale: Double = 0.1) {
    let features = shape.reduce(1, *)
    let weight = ClosedForm.tensor("classes", [5, features], scale: 0.5)
    let images = ClosedForm.tensor("points", [count] + shape, scale: scale, offset: 0.5)
      .clamp(min: 0, max: 1)
    let centre = Tensor.full([1, features], 0.5)
    classifier = LinearClassifier(
      weight: weight,
      bias: -centre.linear(weight).squeeze(0)
        + Tensor(
          [Float(0.3), 0.2, 0.1, 0, -0.1], shape: [5]))
    self.images = images
    labels = classifier.predictions(images)
    var distances = Dictionary(
      uniqueKeysWithValues: Norm.allCases.map { ($0, [Double](repeating: .infinity, count: count)) }
    )
    let (logits, rows) = (classifier.logits(images).doubles, weight.doubles)
    for (sample, label) in labels.ints().enumerated() {
      for rival in 0..<5 where rival != label {
        let oracle = BoxOracle(
          normal: (0..<features).map { rows[rival * features + $0] - rows[label * features + $0] },
          point: images.select(0, sample).flatten().doubles,
          value: logits[sample * 5 + rival] - logits[sample * 5 + label])
        for norm in Norm.allCases {
          let length = oracle.distance(norm)
          if let old = distances[norm]?[sample], length < old { distances[norm]?[sample] = length }
        }
      }
    }
    self.distances = distances
  }
}

@Suite(.serialized) struct FABTests {
  let everything: [Norm: Fraction] = [.linf: 1, .l2: 10, .l1: 100]
  /// Radii at which CurvedProblem has fooled samples and others.
  let some = [
    ThreatModel(norm: .linf, epsilon: 0.05), ThreatModel(norm: .l2, epsilon: 0.15),
    ThreatModel(norm: .l1, epsilon: 0.4),
  ]

  func run(
    _ attack: FAB, _ classifier: any Classifier, _ images: Tensor, _ labels: Tensor,
    of indices: [Int]? = nil, goal: Goal = .fool
  ) -> AttackResult {
    attack.run(
      on: classifier, images: images, labels: labels,
      streams: streams(indices ?? Array(0..<images.size(0))), goal: goal)
  }

  // MARK: What is reached

  @Test(arguments: Norm.allCases, [0.1, 0.6]) func theExactDistanceIsFound(
    _ norm: Norm, _ scale: Double
  ) throws {
    let problem = LinearClasses(scale: scale)
    let exact = try #require(problem.distances[norm])
    let threat = ThreatModel(norm: norm, epsilon: try #require(everything[norm]))
    for attack in [
      FAB(threat: threat, steps: 25), FAB(threat: threat, targets: 9, steps: 25),
    ] {
      let result = run(attack, problem.classifier, problem.images, problem.labels, goal: .strongest)
      let found = try #require(result.distances).map { Double($0) }
      for (found, exact) in zip(found, exact) {
        // The untargeted attack chooses the class without regard to the box.
        let slack = attack.settings.targets == nil && scale > 0.5 ? 1.3 : 1.01
        #expect(found >= exact * (1 - 1e-4) && found <= exact * slack, "\(norm) \(attack.name)")
      }
      // The image returned is the one measured.
      expectClose(
        threat.size(of: result.images - problem.images).doubles, found, rtol: 1e-6)
      #expect(
        (problem.classifier.predictions(result.images) .!= problem.labels).bools() == result.fooled)
      #expect(result.fooled.allSatisfy { $0 })
    }
  }

  @Test(arguments: Norm.allCases) func aSampleIsFooledExactlyWhenItsBoundaryIsInReach(
    _ norm: Norm
  ) throws {
    for scale in [0.1, 0.6] {
      let problem = LinearClasses(scale: scale)
      let exact = try #require(problem.distances[norm])
      for sample in [0, 11] {
        for (factor, isInReach) in [(0.999, false), (1.01, true)] {
          let epsilon = exact[sample] * factor
          let threat = ThreatModel(norm: norm, epsilon: Fraction(epsilon))
          let result = run(
            FAB(threat: threat, targets: 4, steps: 12), problem.classifier, problem.images,
            problem.labels)
          #expect(result.fooled[sample] == isInReach, "\(norm) \(sample)")
          for (other, fooled) in zip(exact, result.fooled) where other > epsilon * 1.0001 {
            #expect(!fooled)
          }
        }
      }
    }
  }

  @Test func oneTargetIsTheClassWithTheNextLargestLogit() throws {
    let problem = LinearClasses(count: 24)
    let threat = ThreatModel(norm: .l2, epsilon: 10)
    let one = try #require(
      run(
        FAB(threat: threat, targets: 1, steps: 20), problem.classifier, problem.images,
        problem.labels, goal: .strongest
      ).distances)
    let order = problem.classifier.logits(problem.images).sort(1, descending: true).indices
    let rivals = order.select(1, 1)
    let difference =
      problem.classifier.weight.indexSelect(rivals)
      - problem.classifier.weight.indexSelect(problem.labels)
    let logits = problem.classifier.logits(problem.images)
    let gap = AttackLoss.of(logits, problem.labels) - AttackLoss.of(logits, rivals)
    let lengths = (gap / difference.norm(2, [1])).doubles
    // Any class counts as fooled, so that the way to the rival may end earlier.
    for (found, length) in zip(one, lengths) { #expect(Double(found) <= length * 1.01) }
    let exact = try #require(problem.distances[.l2])
    #expect(zip(one, exact).contains { Double($0) > $1 * 1.05 })
  }

  // MARK: Goals

  @Test func dropsChangeNoVerdict() throws {
    let problem = CurvedProblem()
    for threat in some {
      for targets in [nil, 2] {
        let attack = FAB(threat: threat, targets: targets, steps: 10, restarts: 2)
        let whole = run(
          attack, problem.classifier, problem.images, problem.labels, goal: .strongest)
        let early = run(attack, problem.classifier, problem.images, problem.labels)
        #expect(early.fooled == whole.fooled)
        #expect(early.fooled.contains(true) && early.fooled.contains(false))
        let clean = (problem.classifier.predictions(problem.images) .!= problem.labels).bools()
        let (bounds, nearest) = (try #require(early.distances), try #require(whole.distances))
        for i in 0..<64 {
          #expect(nearest[i] <= bounds[i] && (bounds[i] == 0) == clean[i])
          #expect((Double(bounds[i]) <= threat.epsilon.value * (1 + 1e-6)) == early.fooled[i])
          if !early.fooled[i] { #expect(nearest[i] == bounds[i]) }
        }
        #expect(zip(nearest, bounds).contains { $0 < $1 })
        let total = early.costs.reduce(Cost(), +)
        #expect(total.forwards < whole.costs.reduce(Cost(), +).forwards * 3 / 4)
      }
    }
  }

  @Test func verdictsAreThoseOfTheImagesReturned() {
    let problem = CurvedProblem()
    for threat in some {
      for goal in [Goal.fool, .strongest] {
        let result = run(
          FAB(threat: threat, steps: 12), problem.classifier, problem.images, problem.labels,
          goal: goal)
        let wrong = (problem.classifier.predictions(result.images) .!= problem.labels).bools()
        #expect(wrong == result.fooled)
      }
    }
  }

  @Test func moreWorkFoolsNoFewer() throws {
    let problem = CurvedProblem()
    for threat in some {
      for attacks in [
        [1, 3, 9, 20].map { FAB(threat: threat, steps: $0) },
        [1, 2, 4].map { FAB(threat: threat, steps: 3, restarts: $0) },
        [1, 2].map { FAB(threat: threat, targets: $0, steps: 4) },
      ] {
        var before = [Float](repeating: .infinity, count: 64)
        var improvements = 0
        for attack in attacks {
          let found = try #require(
            run(attack, problem.classifier, problem.images, problem.labels, goal: .strongest)
              .distances)
          #expect(zip(found, before).allSatisfy { $0 <= $1 })
          if zip(found, before).contains(where: { $0 < $1 }) { improvements += 1 }
          before = found
        }
        #expect(improvements >= 1, "\(threat.norm) \(attacks[1])")
      }
    }
  }

  // MARK: Starts

  @Test(arguments: Norm.allCases) func laterRestartsBeginHalfWayOut(_ norm: Norm) {
    let origin = Tensor.full([6, 2, 3, 4], 0.5)
    let attack = FAB(threat: ThreatModel(norm: norm, epsilon: 0.4))
    func start(_ restart: Int, _ rank: Int?, _ indices: [Int] = Array(0..<6)) -> Tensor {
      attack.start(from: origin.slice(0..<indices.count), restart, streams(indices), rank)
    }
    expectIdentical(start(0, nil), origin)
    let first = start(1, 0)
    expectClose(
      attack.threat.size(of: first - origin).doubles, [Double](repeating: 0.2, count: 6),
      rtol: 1e-5)
    for other in [start(2, 0), start(1, 1), start(1, nil)] {
      #expect((first - other).abs().amax([1, 2, 3]).min().item() > 1e-3)
    }
    expectIdentical(start(1, 0, [4, 1]), first.indexSelect(Tensor([4, 1], shape: [2])))
  }
}
