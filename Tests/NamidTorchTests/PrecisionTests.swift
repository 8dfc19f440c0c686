import NamidTestSupport
import NamidTorch
import Testing

@Suite(.serialized) struct PrecisionTests {
  struct Stop: Error {}
  let image = ClosedForm.tensor("image", [1, 2, 5, 5])
  let weight = ClosedForm.tensor("weight", [3, 2, 3, 3])

  @Test func convolutionsAndProductsComputeInBfloat16() {
    withPrecision(.bfloat16) {
      let output = image.conv2d(weight)
      #expect(output.dtype == .bfloat16)
      #expect(image.flatten(1).linear(.ones([4, 50])).dtype == .bfloat16)
      let exact = withPrecision(.float32) { image.conv2d(weight) }
      #expect(exact.dtype == .float32)
      // bfloat16 keeps eight bits: the difference is there, and it is small.
      let difference = (output.to(.float32) - exact).abs().max().item()
      #expect(difference > 1e-4 && difference < 0.1)
    }
    #expect(image.conv2d(weight).dtype == .float32)
  }

  @Test func thePrecisionInForceIsKnown() {
    #expect(Precision.inForce(on: .cpu) == .float32)
    withPrecision(.bfloat16) {
      #expect(Precision.inForce(on: .cpu) == .bfloat16)
      withPrecision(.float32) { #expect(Precision.inForce(on: .cpu) == .float32) }
      #expect(Precision.inForce(on: .cuda()) == .float32)
    }
    #expect(Precision.inForce(on: .cpu) == .float32)
  }

  @Test func lossesStayInFloat32() {
    withPrecision(.bfloat16) {
      let logits = image.flatten(1).linear(.ones([4, 50]))
      let loss = logits.crossEntropy(Tensor([1], shape: [1]))
      #expect(logits.dtype == .bfloat16 && loss.dtype == .float32)
    }
  }

  @Test func theModeIsRestored() {
    withPrecision(.bfloat16) {
      withPrecision(.float32) { #expect(image.conv2d(weight).dtype == .float32) }
      #expect(image.conv2d(weight).dtype == .bfloat16)
      #expect(throws: Stop.self) { try withPrecision(.float32) { throw Stop() } }
      #expect(image.conv2d(weight).dtype == .bfloat16)
    }
    #expect(throws: Stop.self) { try withPrecision(.bfloat16) { throw Stop() } }
    #expect(image.conv2d(weight).dtype == .float32)
  }

  /// TF32 is allowed in scopes that ask for it and nowhere else; a processor has no such products.
  @Test func scopesDecideOnTF32() {
    let isAllowed = { TorchEnvironment.read().allowsTF32 }
    #expect(!isAllowed())
    let exact = image.conv2d(weight)
    withPrecision(.tf32) {
      #expect(isAllowed())
      #expect(image.conv2d(weight).floats() == exact.floats())
      withPrecision(.float32) { #expect(!isAllowed()) }
      withPrecision(.bfloat16) { #expect(!isAllowed()) }
      #expect(isAllowed())
    }
    #expect(throws: Stop.self) { try withPrecision(.tf32) { throw Stop() } }
    #expect(!isAllowed())
  }

  @Test func gradientsReachTheWeightsInFloat32() throws {
    let leaf = weight.clone()
    leaf.requiresGrad = true
    withPrecision(.bfloat16) {
      // A copy made without gradients must not stand in for the weight afterwards.
      withoutGrad { _ = image.conv2d(leaf) }
      image.conv2d(leaf).to(.float32).sum().backward()
    }
    let gradient = try #require(leaf.grad)
    #expect(gradient.dtype == .float32)
    let exact = leaf.detach().clone()
    exact.requiresGrad = true
    image.conv2d(exact).sum().backward()
    expectClose(gradient, try #require(exact.grad), rtol: 0.02, atol: 0.1)
  }

  @Test func laterScopesSeeChangedWeights() {
    let leaf = weight.clone()
    leaf.requiresGrad = true
    let before = withPrecision(.bfloat16) { image.conv2d(leaf).detach() }
    // Shares the memory; a scope of `withoutGrad` would drop the copies by itself.
    leaf.detach().mul_(2)
    let after = withPrecision(.bfloat16) { image.conv2d(leaf).detach() }
    expectClose(after, before * 2, rtol: 1e-6)
  }
}
