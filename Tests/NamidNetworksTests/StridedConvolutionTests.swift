import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

/// Convolutions of one pixel that skip pixels, as in the shortcuts of residual networks.
@Suite(.serialized) struct StridedConvolutionTests {
  /// Below 16 channels the layer picks the pixels itself; at 16 the convolution skips them.
  @Test(arguments: [3, 8, 16]) func gradientsAreThoseOfAPlainConvolution(_ channels: Int) throws {
    let layer = Conv2d(
      channels, 2 * channels, kernel: 1, stride: 2,
      at: ParameterStore(stream: RandomStream(seed: 0)).root)
    for (height, width) in [(64, 64), (5, 8)] {
      let input = ClosedForm.tensor("input", [2, channels, height, width])
      let leaves = [input.contiguous(.channelsLast), layer.weight, try #require(layer.bias)]
      leaves[0].requiresGrad = true
      let output = layer(leaves[0])
      let exact = leaves.map { $0.detach().contiguous().to(.float64) }
      for leaf in exact { leaf.requiresGrad = true }
      let expected = exact[0].conv2d(exact[1], bias: exact[2], stride: 2)
      #expect(output.shape == [2, 2 * channels, (height + 1) / 2, (width + 1) / 2])
      expectGolden(output, expected, "output")
      let seed = ClosedForm.tensor("grad_output", output.shape)
      let gradients = grad(of: output, wrt: leaves, outputGradient: seed)
      let right = grad(of: expected, wrt: exact, outputGradient: seed.to(.float64))
      for (name, (found, wanted)) in zip(["input", "weight", "bias"], zip(gradients, right)) {
        expectGolden(found, wanted, "gradient of \(name)")
      }
    }
  }
}
