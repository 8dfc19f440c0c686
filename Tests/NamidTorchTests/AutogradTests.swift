import NamidTestSupport
import NamidTorch
import Testing

@Suite(.serialized) struct AutogradTests {
  struct Stop: Error {}

  func leaf(_ values: [Double]) -> Tensor {
    let tensor = Tensor(values, shape: [values.count])
    tensor.requiresGrad = true
    return tensor
  }

  @Test func gradientsMatchDifferences() {
    let x = ClosedForm.tensor("x", [3, 4])
    let y = ClosedForm.tensor("y", [3, 4], scale: 0.4, offset: 1.5)
    expectGradientsMatchDifferences(at: [x, y]) { inputs in
      ((inputs[0] * inputs[1]).exp() / inputs[1].square() + inputs[0].tanh()).logsumexp([1]).sum()
    }
    expectGradientsMatchDifferences(at: [x, y]) { inputs in
      inputs[0].cosineSimilarity(inputs[1], dim: 1).sum() + inputs[0].softplus().mean()
        - inputs[1].log().sum() + inputs[1].sqrt().norm() + inputs[0].sigmoid().variance([1]).sum()
    }
  }

  @Test func gradientsOfLayersMatchDifferences() {
    let image = ClosedForm.tensor("image", [2, 2, 4, 5])
    let kernel = ClosedForm.tensor("kernel", [3, 2, 3, 3])
    let bias = ClosedForm.tensor("bias", [3])
    expectGradientsMatchDifferences(at: [image, kernel, bias], rtol: 1e-5) { inputs in
      inputs[0].conv2d(inputs[1], bias: inputs[2], stride: 2, padding: 1).square().sum()
    }
    let labels = Tensor([1, 0], shape: [2])
    expectGradientsMatchDifferences(at: [image], rtol: 1e-5) { inputs in
      inputs[0].avgPool2d(2).flatten(1).layerNorm([8], weight: nil, bias: nil)
        .crossEntropy(labels, labelSmoothing: 0.1)
    }
  }

  @Test func anUnusedInputHasAZeroGradient() {
    let (used, unused) = (leaf([1, 2]), leaf([3, 4, 5]))
    let gradients = grad(of: used.square().sum(), wrt: [used, unused])
    expectClose(gradients[0].doubles, [2, 4])
    #expect(gradients[1].doubles == [0, 0, 0] && gradients[1].dtype == .float64)
  }

  @Test func gradLeavesAccumulatedGradientsAlone() {
    let (x, w) = (leaf([2, 3]), leaf([5, 7]))
    let gradient = grad(of: (x * w).sum(), wrt: x)
    #expect(gradient.doubles == [5, 7])
    #expect(x.grad == nil && w.grad == nil)
  }

  @Test func aGradientOfTheOutputWeighsIt() {
    let x = leaf([1, 2, 3])
    let seed = Tensor([1.0, 10, 100], shape: [3])
    #expect(grad(of: x * 2, wrt: x, outputGradient: seed).doubles == [2, 20, 200])
  }

  @Test func backwardAccumulates() {
    let x = leaf([1, 2])
    for _ in 0..<3 { (x * 2).sum().backward() }
    #expect(x.grad?.doubles == [6, 6])
    x.grad = nil
    #expect(x.grad == nil)
    x.grad = Tensor([1.0, 1], shape: [2])
    x.sum().backward()
    #expect(x.grad?.doubles == [2, 2])
  }

  @Test func aGraphCanBeKept() {
    let x = leaf([3])
    let y = x.square().sum()
    y.backward(retainGraph: true)
    y.backward()
    #expect(x.grad?.doubles == [12])
  }

  @Test func gradientsCanBeDifferentiated() {
    let x = leaf([2, -1])
    let first = grad(of: x.pow(3).sum(), wrt: [x], createGraph: true)[0]
    let second = grad(of: first.sum(), wrt: x)
    expectClose(second.doubles, [12, -6])
  }

  @Test func withoutGradNestsAndRestores() {
    let x = leaf([1])
    var recorded: [Bool] = []
    let note = { recorded.append((x * 2).requiresGrad) }
    note()
    withoutGrad {
      note()
      withGrad {
        note()
        withoutGrad { note() }
        note()
      }
      note()
    }
    note()
    #expect(recorded == [true, false, true, false, true, false, true])
  }

  @Test func modesAreRestoredAfterAnError() {
    let x = leaf([1])
    #expect(throws: Stop.self) { try withoutGrad { throw Stop() } }
    #expect((x * 2).requiresGrad)
    withoutGrad {
      #expect(throws: Stop.self) { try withGrad { throw Stop() } }
      #expect(!(x * 2).requiresGrad)
    }
  }

  @Test func detachCutsTheHistory() {
    let x = leaf([2])
    let product = x * x.detach()
    #expect(grad(of: product.sum(), wrt: x).doubles == [2])
    #expect(!x.detach().requiresGrad)
  }

  @Test func nothingIsLeftOfAGraph() {
    let w = ClosedForm.tensor("w", [4, 4])
    w.requiresGrad = true
    let x = ClosedForm.tensor("x", [3, 4])
    x.linear(w).sum().backward()
    expectNoTensorLeak {
      x.linear(w).relu().sum().backward()
      _ = grad(of: x.linear(w).sum(), wrt: [w, x.detach()].filter(\.requiresGrad))
    }
  }
}
