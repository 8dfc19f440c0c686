import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct ThreatModelTests {
  let threats = [
    ThreatModel(norm: .linf, epsilon: Fraction(8, over: 255)),
    ThreatModel(norm: .l2, epsilon: 0.5),
  ]
  let shapes = [[4, 3, 8, 8], [3, 1, 2, 9], [1, 3, 5, 2]]

  @Test func projectionsLieInBallAndBox() {
    for threat in threats {
      for shape in shapes {
        let origin = ClosedForm.tensor("origin", shape, scale: 0.6, offset: 0.5)
          .clamp(min: 0, max: 1)
        for scale in [0.001, 0.1, 3] {
          let far = origin + ClosedForm.tensor("far", shape, scale: scale)
          let near = threat.project(far, around: origin)
          #expect(near.shape == shape && near.dtype == .float32)
          #expect(near.min().item() >= 0 && near.max().item() <= 1)
          let sizes = threat.size(of: near - origin).doubles
          #expect(sizes.allSatisfy { $0 <= threat.epsilon.value * (1 + 1e-5) + 1e-7 })
        }
      }
    }
  }

  @Test func allowedImagesStay() {
    let origin = ClosedForm.tensor("origin", [3, 1, 4, 4], scale: 0.3, offset: 0.5)
    for threat in threats {
      expectIdentical(threat.project(origin, around: origin), origin)
      let near = origin + ClosedForm.tensor("near", origin.shape, scale: 0.01)
      expectClose(threat.project(near, around: origin), near, rtol: 0, atol: 1e-7)
    }
  }

  @Test func projectionsOfL2KeepTheDirection() {
    let threat = ThreatModel(norm: .l2, epsilon: 0.5)
    let origin = Tensor.full([1, 1, 1, 2], 0.5)
    let near = threat.project(
      origin + Tensor([Float(0.6), -0.8], shape: [1, 1, 1, 2]), around: origin)
    expectClose(near.doubles, [0.8, 0.1], rtol: 1e-6)
  }

  @Test func sizesArePerImage() {
    let delta = Tensor([Float(0.3), -0.4, 0, 0, 0, 0, 0.5, 1.2], shape: [2, 1, 2, 2])
    expectClose(
      ThreatModel(norm: .linf, epsilon: 1).size(of: delta).doubles, [0.4, 1.2], rtol: 1e-6)
    expectClose(ThreatModel(norm: .l2, epsilon: 1).size(of: delta).doubles, [0.5, 1.3], rtol: 1e-6)
  }

  @Test func stepsHaveUnitLength() {
    for scale in [1e-36, 1e-25, 1e-10, 1, 1e18] {
      let gradient = ClosedForm.tensor("gradient", [3, 2, 5, 3]) * scale
      let linf = threats[0].steepestAscent(gradient)
      expectIdentical(linf.abs(), .ones(gradient.shape))
      let l2 = threats[1].steepestAscent(gradient)
      expectClose(threats[1].size(of: l2).doubles, [1, 1, 1], rtol: 1e-5, "scale \(scale)")
      #expect((l2 * gradient.sign()).min().item() >= 0)
    }
  }

  @Test func withoutAGradientThereIsNoStep() {
    for threat in threats {
      expectIdentical(threat.steepestAscent(.zeros([2, 1, 2, 2])), .zeros([2, 1, 2, 2]))
    }
  }
}
