import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// The gradient of the summed cross-entropy with respect to images.
func crossEntropyGradient(
  of classifier: any Classifier, at images: Tensor, labels: Tensor
) -> Tensor {
  Point(classifier, at: images) { AttackLoss.crossEntropy.values($0, labels) }.gradient()
}

@Suite(.serialized) struct PGDGoldenTests {
  struct Options: Decodable {
    let norm: String
    let epsilon: Double
    let step: Double
    let steps: [Int]
    let pixels_at_box: Int
  }

  @Test(arguments: [DType.float32, .float64]) func iteratesAreThoseOfPyTorch(_ dtype: DType) throws
  {
    let cases = try Golden.json("pgd", as: [String: Options].self)
    #expect(cases.count == 3)
    let all = try Golden.tensors("pgd", dtype: dtype)
    let (images, labels) = (try all["images"], try all["labels"])
    let classifier = LinearClassifier(weight: try all["weight"], bias: try all["bias"])
    for (name, options) in cases {
      let golden = all.below(name)
      let threat = ThreatModel(
        norm: try #require(Norm(rawValue: options.norm)), epsilon: Fraction(options.epsilon))
      var current = try golden["start"]
      for step in 1...10 {
        let gradient = crossEntropyGradient(of: classifier, at: current, labels: labels)
        if step == 1 { expectGolden(gradient, try golden["grad.start"], "\(name) gradient") }
        current = threat.project(
          current + threat.steepestAscent(gradient) * options.step, around: images)
        if options.steps.contains(step) {
          expectGolden(current, try golden["step\(step)"], "\(name) step \(step)")
        }
      }
      let atBox = (current .== 0).to(.int64).sum() + (current .== 1).to(.int64).sum()
      #expect(atBox.ints() == [options.pixels_at_box])
    }
  }

  @Test func craftingTakesTheseSteps() {
    let problem = CurvedProblem(count: 6)
    for norm in [Norm.linf, .l2] {
      let threat = ThreatModel(norm: norm, epsilon: 0.2)
      let attack = PGD(threat: threat, steps: 4, stepSize: 0.07, start: .none)
      let crafted = attack.craft(
        on: problem.classifier, images: problem.images, labels: problem.labels,
        streams: craftingStreams(Array(0..<6)))
      var current = problem.images
      for _ in 0..<4 {
        let gradient = crossEntropyGradient(
          of: problem.classifier, at: current, labels: problem.labels
        )
        current = threat.project(
          current + threat.steepestAscent(gradient) * 0.07, around: problem.images)
      }
      expectIdentical(crafted, current)
    }
  }

  @Test func lossesAreSummedSoThatGradientsDoNotDependOnTheBatch() {
    let problem = CurvedProblem(count: 6)
    let all = crossEntropyGradient(
      of: problem.classifier, at: problem.images, labels: problem.labels)
    let one = crossEntropyGradient(
      of: problem.classifier, at: problem.images.slice(2..<3), labels: problem.labels.slice(2..<3)
    )
    expectClose(one, all.slice(2..<3), rtol: 1e-5, atol: 1e-7)
  }
}
