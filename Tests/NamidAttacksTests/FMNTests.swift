import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidAttacks

@Suite(.serialized) struct FMNTests {
  @Test(arguments: Norm.allCases)
  func theFirstBallEndsJustBeyondTheBoundary(_ norm: Norm) throws {
    let threat = ThreatModel(norm: norm, epsilon: 1)
    let problem = LinearProblem(count: 1, bias: 2.6)
    let recorder = Recorder(problem.classifier)
    _ = FMN(threat: threat, steps: 4).run(
      on: recorder.classifier, images: problem.images, labels: problem.labels,
      streams: streams([0]))
    let lengths = recorder.images.dropFirst().map { threat.size(of: $0 - problem.images).item() }
    let margin = problem.margins(problem.images).item()
    let distance = margin / problem.weight.norm(norm.dual).item()
    // Unattacked, steps and the check of what was found.
    try #require(lengths.count == 6 && lengths[0] == 0)
    // In L1 the heaviest pixel alone would do, but for the box; weak pixels come short of the corner of L∞.
    if norm == .l1 { return #expect(lengths[1] <= distance * 1.001) }
    expectClose(lengths[1], distance * (1 + 2e-4), rtol: 1e-5)
    if norm == .linf { return }
    // It was found there; the ball shrinks by 5 %, then grows by what is left of that on half a cosine.
    expectClose(lengths[2] / lengths[1], 1 - shares(4)[1], rtol: 1e-5)
    expectClose(lengths[3] / lengths[2], 1 + shares(4)[2], rtol: 1e-5)
  }

  func shares(_ steps: Int) -> [Double] {
    (0..<steps).map { MinimumNorm.cosine(from: 0.05, to: 0.001, at: $0, of: steps) }
  }

  @Test func theLastStepCounts() {
    let problem = LinearProblem(count: 5, bias: 3.5)
    let result = FMN(threat: ThreatModel(norm: .l2, epsilon: 1), steps: 1).run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<5)))
    let length = problem.weight.norm(2).item()
    expectClose(
      (result.distances ?? []).map { Double($0) },
      problem.margins(problem.images).doubles.map { $0 / length * (1 + 2e-4) }, rtol: 1e-5)
  }

  @Test(arguments: Norm.allCases) func moreStepsFindSmallerPerturbations(_ norm: Norm) throws {
    let problem = CurvedProblem()
    func total(_ steps: Int) throws -> Float {
      let result = FMN(threat: ThreatModel(norm: norm, epsilon: 1), steps: steps).run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)))
      let distances = try #require(result.distances)
      return distances.reduce(0, +)
    }
    let sums = try [5, 20, 100].map(total)
    #expect(sums[0] > sums[1] && sums[1] > sums[2])
  }

  @Test func aBallThatShrinksIsNoLargerThanTheBestFinding() {
    // The first steps are too short to fill the ball, so that its radius runs ahead of the perturbation's size.
    let threat = ThreatModel(norm: .l2, epsilon: 1)
    let problem = LinearProblem(count: 1, bias: 2.6)
    let recorder = Recorder(problem.classifier)
    _ = FMN(threat: threat, steps: 12, alpha: 0.1, finalAlpha: 0.1).run(
      on: recorder.classifier, images: problem.images, labels: problem.labels,
      streams: streams([0]))
    let sizes = recorder.images.dropFirst().map { threat.size(of: $0 - problem.images).item() }
    let margin = problem.margins(problem.images).item()
    let distance = margin / problem.weight.norm(2).item()
    // Steps of 0.1 up to the first beyond 0.31, then back.
    expectClose(Array(sizes[0...4]), [0, 0.1, 0.2, 0.3, 0.4], rtol: 1e-4, atol: 1e-6)
    #expect(distance > 0.305 && distance < 0.32)
    #expect(sizes[5] <= sizes[4] * 1.0001 && sizes[6] < sizes[4] * 0.98)
  }

  @Test func aFlatNetworkIsLeftAlone() {
    let flat = ClosureClassifier(classCount: 3) { images in
      images.flatten(1).slice(0..<3, dim: 1) * 0 + Tensor([Float(1), 0, 0], shape: [3])
    }
    for norm in Norm.allCases {
      let images = ClosedForm.picture([4, 1, 2, 2])
      let result = FMN(threat: ThreatModel(norm: norm, epsilon: 1), steps: 5).run(
        on: flat, images: images, labels: .zeros([4], dtype: .int64),
        streams: streams([0, 1, 2, 3]))
      #expect(result.distances == [Float](repeating: .infinity, count: 4))
      expectIdentical(result.images, images)
    }
  }

  @Test func ballsOfOneCallAreThoseOfManyCalls() {
    let images = ClosedForm.tensor("far", [5, 1, 3, 4])
    let origin = ClosedForm.picture([5, 1, 3, 4])
    let radii = [0.0, 0.2, 0.7, 3, 100]
    let together = L1Ball.project(
      images, around: origin, radius: Tensor(radii, shape: [5, 1, 1, 1]))
    for (i, radius) in radii.enumerated() {
      expectIdentical(
        together.slice(i..<i + 1),
        L1Ball.project(
          images.slice(i..<i + 1), around: origin.slice(i..<i + 1),
          radius: .scalar(radius, dtype: .float64)))
    }
  }
}
