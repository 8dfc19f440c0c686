import Foundation
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidInformation

@Suite(.serialized) struct DonskerVaradhanTests {
  let outputs = [
    "example", "natural.of_natural", "natural.of_adversarial", "adversarial.of_natural",
    "adversarial.of_adversarial",
  ]

  @Test(arguments: [DType.float32, .float64], [true, false])
  func lossesAreThoseOfPyTorch(_ dtype: DType, _ leak: Bool) throws {
    for output in outputs {
      let features = try Features(dtype, leak: leak)
      let name = "dv.\(leak ? "leak" : "no_leak")/\(output)"
      let losses = try features.losses(output)
      expectGolden(losses, try features.golden["\(name)/positions"], name)
      let samples = losses.mean([1])
      expectGolden(samples, try features.golden["\(name)/samples"], name)
      let weights = Tensor.arange(4).to(dtype) + 1
      try features.expect((samples * weights).sum(), is: name)
    }
  }

  /// Numbers that an independent implementation gave for formulas alone.
  @Test func lossesAreTheIndependentOnes() {
    var local: [Double] = []
    var global: [Double] = []
    for n in 0..<4 {
      let phase = 0.7 * Double(n) + 0.1
      for p in 0..<3 {
        local += (0..<6).map { sin(phase + 1.3 * Double($0) + 2.1 * Double(p)) }
      }
      global += (0..<6).map { 2 * cos(0.9 * Double(n) - 0.4 * Double($0) + 0.2) }
    }
    let samples = [true, false].map { leak in
      DonskerVaradhan.losses(
        global: Tensor(global, shape: [4, 6]),
        local: Tensor(local, shape: [4, 3, 6]).transpose(0, 1), leak: leak
      ).mean([1]).doubles
    }
    expectClose(
      samples[0],
      [0.5043628012951274, 0.3024271658977969, 0.6999133602747113, 0.6052250576896304], rtol: 1e-10)
    expectClose(samples[0].reduce(0, +) / 4, 0.5279820962893165, rtol: 1e-10)
    expectClose(
      samples[1],
      [0.1722600971968641, 0.016015443510610516, 0.47640510963458554, 0.29947187493431443],
      rtol: 1e-10)
  }

  @Test func gradientsMatchDifferences() {
    let local = ClosedForm.tensor("local", [2, 3, 4])
    let global = ClosedForm.tensor("global", [3, 4])
    for leak in [true, false] {
      expectGradientsMatchDifferences(at: [global, local]) { inputs in
        DonskerVaradhan.losses(global: inputs[0], local: inputs[1], leak: leak).square().sum()
      }
    }
  }

  @Test func anchorsPickRowsAndKeepAllNegatives() throws {
    for leak in [true, false] {
      let features = try Features(.float64, leak: leak)
      let all = try features.losses("natural.of_adversarial")
      for anchors in [[2], [3, 0], [1, 1, 2], [0, 1, 2, 3]] {
        let index = Tensor(anchors, shape: [anchors.count])
        let some = try features.losses("natural.of_adversarial", anchors: index)
        expectClose(some, all.indexSelect(index), rtol: 1e-13, atol: 1e-14)
      }
      let none = try features.losses("natural.of_natural", anchors: Tensor([Int](), shape: [0]))
      #expect(none.shape == [0, 3])
    }
  }

  /// A feature that is 1 in every image adds a constant of its own to all scores of an output.
  @Test func aConstantAddedToAllScoresChangesOnlyTheLeak() {
    let local = ClosedForm.tensor("local", [2, 5, 4]).to(.float64)
    let global = ClosedForm.tensor("global", [5, 4]).to(.float64)
    func losses(_ constant: Double, leak: Bool) -> Tensor {
      DonskerVaradhan.losses(
        global: .cat([global, .full([5, 1], constant, dtype: .float64)], dim: 1),
        local: .cat([local, .ones([2, 5, 1], dtype: .float64)], dim: 2), leak: leak)
    }
    expectClose(losses(7, leak: false), losses(0, leak: false), rtol: 1e-12, atol: 1e-12)
    #expect((losses(7, leak: true) - losses(0, leak: true)).abs().min().item() > 0.01)
  }

  @Test func relabelledSamplesAreRelabelledLosses() {
    let local = ClosedForm.tensor("local", [2, 5, 4]).to(.float64)
    let global = ClosedForm.tensor("global", [5, 4]).to(.float64)
    let order = Tensor([3, 0, 4, 1, 2], shape: [5])
    for leak in [true, false] {
      expectClose(
        DonskerVaradhan.losses(
          global: global.indexSelect(order), local: local.indexSelect(order, dim: 1), leak: leak),
        DonskerVaradhan.losses(global: global, local: local, leak: leak).indexSelect(order),
        rtol: 1e-12, atol: 1e-12)
    }
  }

  @Test func equalScoresCarryNoInformation() {
    let losses = DonskerVaradhan.losses(
      global: .zeros([6, 3]), local: .zeros([2, 6, 3]), leak: false)
    expectClose(losses, .zeros([6, 2]), rtol: 0, atol: 1e-6)
    // The positive among the negatives: log 6 − log 5.
    let leaky = DonskerVaradhan.losses(global: .zeros([6, 3]), local: .zeros([2, 6, 3]))
    expectClose(leaky, .full([6, 2], log(6.0 / 5)), rtol: 1e-5)
  }

  @Test func aloneASampleHasNothingToBeToldFrom() {
    let losses = DonskerVaradhan.losses(global: .ones([1, 3]), local: .ones([2, 1, 3]))
    expectIdentical(losses, .zeros([1, 2]))
  }

  @Test func largeScoresStayFinite() {
    let local = ClosedForm.tensor("local", [2, 4, 3], scale: 300)
    let global = ClosedForm.tensor("global", [4, 3], scale: 300)
    for leak in [true, false] {
      let losses = DonskerVaradhan.losses(global: global, local: local, leak: leak)
      #expect(losses.isfinite().all().bools() == [true])
    }
  }

  @Test func scoresAreFloat32InLowPrecisionToo() {
    let local = ClosedForm.tensor("local", [2, 4, 64])
    let global = ClosedForm.tensor("global", [4, 64])
    let exact = DonskerVaradhan.scores(global: global, local: local)
    withPrecision(.bfloat16) {
      expectIdentical(DonskerVaradhan.scores(global: global, local: local), exact)
    }
    #expect(exact.shape == [4, 2, 4])
    // Output 3 against position 0 of image 1.
    let one = (global.select(0, 3) * local.select(0, 0).select(0, 1)).sum()
    expectClose(exact.select(0, 3).select(0, 0).select(0, 1), one, rtol: 1e-4)
  }
}
