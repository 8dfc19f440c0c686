import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidNetworks

/// Convolutions with the normalisation behind them folded in, while a store is frozen.
@Suite(.serialized) struct FoldingTests {
  private let store = ParameterStore(stream: RandomStream(seed: 3))
  private let layer: NormalizedConv2d
  private let input = ClosedForm.tensor("input", [2, 3, 6, 6]).contiguous(.channelsLast)

  init() {
    layer = NormalizedConv2d(
      3, 5, kernel: 3, padding: 1, bias: true, at: store.root / "conv", norm: store.root / "bn")
    ClosedForm.fill(store)
    input.requiresGrad = true
  }

  private func tensor(_ name: String) throws -> Tensor {
    try #require(store.entries.first { $0.name == name }).tensor
  }

  /// The folded float32 weights, worked out by hand.
  private func foldedByHand() throws -> (weight: Tensor, bias: Tensor) {
    try withoutGrad { () throws -> (weight: Tensor, bias: Tensor) in
      let scale = try tensor("bn.weight") / (try tensor("bn.running_var") + 1e-5).sqrt()
      let shift = try tensor("bn.bias") - (try tensor("bn.running_mean")) * scale
      return (
        try tensor("conv.weight") * scale.view([-1, 1, 1, 1]),
        shift + (try tensor("conv.bias")) * scale
      )
    }
  }

  private func outputAndGradient(_ function: (Tensor) -> Tensor) -> [Tensor] {
    let output = function(input)
    return [output.detach(), grad(of: output.to(.float32).square().sum(), wrt: input)]
  }

  @Test func inBfloat16BitsAreThoseOfAutocast() throws {
    let (weight, bias) = try foldedByHand()
    withPrecision(.bfloat16) {
      let expected = outputAndGradient { $0.conv2d(weight, bias: bias, padding: 1) }
      store.frozen {
        for (found, expected) in zip(outputAndGradient(layer.callAsFunction), expected) {
          expectIdentical(found, expected)
        }
      }
    }
  }

  /// Autocast would make a copy of the weight and one of the bias in every pass.
  @Test func inBfloat16NothingIsConvertedTwice() throws {
    let (weight, bias) = try foldedByHand()
    let low = input.detach().to(.bfloat16)
    func blocks(_ body: () -> Tensor) -> Int {
      withoutGrad {
        _ = body()
        return MemoryUse.measure { _ = body() }.allocations
      }
    }
    withPrecision(.bfloat16) {
      let converting = blocks { low.conv2d(weight, bias: bias, padding: 1) }
      store.frozen {
        #expect(blocks { layer(low) } == converting - 2)
        #expect(CallCounter.count { _ = layer(low) }.operators == [.conv2d: 1])
      }
    }
  }

  @Test func eachPrecisionHasItsOwnWeights() throws {
    let (weight, bias) = try foldedByHand()
    let exact = withoutGrad { input.conv2d(weight, bias: bias, padding: 1) }
    withoutGrad {
      store.frozen {
        let low = withPrecision(.bfloat16) { layer(input) }
        #expect(low.dtype == .bfloat16)
        expectIdentical(layer(input), exact)
        expectIdentical(withPrecision(.bfloat16) { layer(input) }, low)
      }
    }
  }
}
