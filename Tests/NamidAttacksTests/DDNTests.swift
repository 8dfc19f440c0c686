import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct DDNTests {
  let threat = ThreatModel(norm: .l2, epsilon: Fraction(0.3))

  /// The sizes of perturbations of one image as the network saw them, after the unattacked one.
  func lengths(_ attack: DDN, bias: Double) -> [Double] {
    let problem = LinearProblem(count: 1, bias: bias)
    let recorder = Recorder(problem.classifier)
    _ = attack.run(
      on: recorder.classifier, images: problem.images, labels: problem.labels,
      streams: streams([0]))
    return recorder.images.dropFirst().map { threat.size(of: $0 - problem.images).item() }
  }

  @Test func lengthsShrinkWhereTheNetworkErrsAndGrowElsewhere() {
    let problem = LinearProblem(count: 1, bias: 2.6)
    let distance = problem.margins(problem.images).item() / problem.weight.norm(2).item()
    #expect(distance > 0.2 && distance < 0.5)
    let found = lengths(
      DDN(threat: threat, steps: 40, gamma: 0.1, initialNorm: 0.4, levels: 0), bias: 2.6)
    // The last of the lengths is the check of what was found.
    #expect(found.count == 42)
    var expected = [0.0, 0.44]
    while expected.count < 41 {
      expected.append(
        expected[expected.count - 1] * (expected[expected.count - 1] > distance ? 0.9 : 1.1))
    }
    expectClose(Array(found.prefix(41)), expected, rtol: 1e-4, atol: 1e-6)
  }

  @Test func lengthsGrowNoFurtherThanTheFarthestCorner() throws {
    // A network that gives in late: had the length grown on outside the box, it would take as long to come back.
    let problem = LinearProblem(count: 1, bias: 60)
    var sizes: [Double] = []
    let late = ClosureClassifier(classCount: 2) { images in
      sizes.append(threat.size(of: images.detach() - problem.images).item())
      return problem.classifier.logits(images) * (sizes.count > 12 ? -1.0 : 1.0)
    }
    _ = DDN(threat: threat, steps: 18, gamma: 0.5, levels: 0).run(
      on: late, images: problem.images, labels: problem.labels, streams: streams([0]))
    let corner = threat.size(of: problem.images.maximum(1 - problem.images)).item()
    try #require(sizes.count == 21)
    // Seven halvings lie between the first that errs and the last step.
    #expect(sizes[19] <= corner / 128 * 1.001 && sizes[19] > 0)
  }

  @Test func theLastStepCounts() {
    let problem = LinearProblem(bias: 3.5)
    let result = DDN(threat: threat, steps: 1, levels: 0).run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<5)))
    // The only step is the first, to 1.05 times the initial length.
    expectClose(
      (result.distances ?? []).map { Double($0) }, [Double](repeating: 1.05, count: 5), rtol: 1e-5)
  }

  @Test(arguments: [2, 16, 256]) func resultsLieOnTheGrid(_ levels: Int) throws {
    let problem = CurvedProblem()
    let attack = DDN(threat: threat, steps: 25, levels: levels)
    let result = attack.run(
      on: problem.classifier, images: problem.images, labels: problem.labels,
      streams: streams(Array(0..<64)))
    let distances = try #require(result.distances)
    let found = distances.indices.filter { distances[$0] > 0 && distances[$0] < .infinity }
    #expect(found.count > 10)
    let values = result.images.indexSelect(Tensor(found, shape: [found.count])).to(.float64)
    let steps = values * Double(levels - 1)
    #expect((steps - steps.round()).abs().max().item() < 1e-4)
    // The images themselves are not on it.
    let clean = problem.images.to(.float64) * Double(levels - 1)
    #expect((clean - clean.round()).abs().max().item() > 0.3)
  }

  @Test func withoutAGridPerturbationsAreNoLarger() throws {
    let problem = CurvedProblem()
    func total(_ levels: Int, _ steps: Int = 60) throws -> Float {
      let result = DDN(threat: threat, steps: steps, levels: levels).run(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: streams(Array(0..<64)))
      let distances = try #require(result.distances)
      #expect(distances.allSatisfy { $0 < .infinity })
      return distances.reduce(0, +)
    }
    #expect(try total(0) < total(16) && total(256) < total(16))
    #expect(try total(0, 200) < total(0, 10))
  }

  @Test func withoutAGradientADirectionIsDrawnFromTheSamplesStream() throws {
    // Flat but for a far corner, which only a random direction can find.
    let flat = ClosureClassifier(classCount: 2) { images in
      let lead =
        (images.flatten(1).sum([1], keepdim: true) - 2.01).sign() + images.flatten(1).sum(
          [1], keepdim: true) * 0
      return Tensor.cat([-lead, lead], dim: 1)
    }
    let images = Tensor.full([20, 1, 2, 2], 0.5)
    func run(_ indices: [Int]) -> AttackResult {
      DDN(threat: threat, steps: 5, initialNorm: 0.3, levels: 0).run(
        on: flat, images: images.slice(0..<indices.count),
        labels: .zeros([indices.count], dtype: .int64), streams: streams(indices))
    }
    let whole = run(Array(0..<20))
    let distances = try #require(whole.distances)
    #expect(distances.count { $0 < .infinity } > 12 && Set(distances).count > 8)
    #expect(run([7]).distances == [distances[7]])
    #expect(run([3, 19]).distances == [distances[3], distances[19]])
  }
}
