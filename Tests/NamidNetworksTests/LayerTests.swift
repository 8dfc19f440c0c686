import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidNetworks

@Suite(.serialized) struct LayerTests {
  struct Options: Decodable {
    var kernel: Int?
    var stride: Int?
    var padding: Int?
    var bias: Bool?
  }

  var store = ParameterStore(stream: RandomStream(seed: 0))

  /// A layer with golden parameters against its golden output and gradients.
  func check(_ golden: GoldenTensors, _ name: String, _ layer: some Module) throws {
    withoutGrad {
      for entry in store.entries where entry.isTrainable {
        if let value = golden.find(entry.name) { entry.tensor.copy_(value) }
      }
    }
    let input = try golden["input"]
    input.requiresGrad = true
    let output = layer(input)
    expectGolden(output, try golden["output"], "\(name) output")
    let trainable = store.entries.filter(\.isTrainable)
    let gradients = grad(
      of: output, wrt: [input] + trainable.map(\.tensor),
      outputGradient: try golden["grad_output"])
    for (leaf, gradient) in zip(["input"] + trainable.map(\.name), gradients) {
      expectGolden(gradient, try golden["grad.\(leaf)"], "\(name) gradient of \(leaf)")
    }
  }

  @Test func convolutionsAndLinearMaps() throws {
    let options = try Golden.json("layers", as: [String: Options].self)
    let all = try Golden.tensors("layers", dtype: .float32)
    var done = 0
    for (name, option) in options {
      let golden = all.below(name)
      let path = ParameterStore(stream: RandomStream(seed: 0)).root
      let bias = option.bias ?? false
      let layer: any Module
      if name.hasPrefix("conv2d.") {
        let shape = try golden["weight"].shape
        layer = Conv2d(
          shape[1], shape[0], kernel: shape[2], stride: try #require(option.stride),
          padding: try #require(option.padding), bias: bias, at: path)
      } else if name.hasPrefix("linear.") {
        layer = Linear(5, 4, bias: bias, at: path)
      } else {
        continue
      }
      #expect(path.store.entries.map(\.name) == (bias ? ["weight", "bias"] : ["weight"]))
      try LayerTests(store: path.store).check(golden, name, layer)
      done += 1
    }
    #expect(done == 14)
  }

  @Test func layerNorm() throws {
    let golden = try Golden.tensors("layers", dtype: .float32).below("layer_norm")
    try check(golden, "layer_norm", LayerNorm(6, at: store.root))
  }

  @Test func batchNormMovesItsStatisticsInTrainingOnly() throws {
    let all = try Golden.tensors("layers", dtype: .float32)
    let layer = BatchNorm2d(3, at: store.root)
    #expect(
      store.entries.map(\.name)
        == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"])
    #expect(store.entries.map(\.isTrainable) == [true, true, false, false, false])
    for step in ["step1", "step2", "step3"] {
      let golden = all.below("batch_norm.train.\(step)")
      store.isTraining = true
      try check(golden, step, layer)
      expectGolden(store.entries[2].tensor, try golden["running_mean"], "\(step) mean")
      expectGolden(store.entries[3].tensor, try golden["running_var"], "\(step) variance")
    }
    let count = try all["batch_norm.train.step3/num_batches_tracked"]
    expectIdentical(store.entries[4].tensor, count)

    let before = store.entries.map { $0.tensor.detach().clone() }
    store.isTraining = false
    try check(all.below("batch_norm.eval"), "eval", layer)
    for (entry, old) in zip(store.entries, before) where !entry.isTrainable {
      expectIdentical(entry.tensor, old, entry.name)
    }
  }

  @Test func batchesCanBeKeptOutOfTheStatistics() {
    let layer = BatchNorm2d(2, at: store.root)
    store.isTraining = true
    let input = ClosedForm.tensor("x", [4, 2, 3, 3], offset: 5)
    let before = store.entries.map { $0.tensor.detach().clone() }
    store.statisticsMomentum = 0
    let output = layer(input)
    for (entry, old) in zip(store.entries, before) {
      expectIdentical(entry.tensor, old, entry.name)
    }
    // The batch itself is still normalised with its own statistics.
    expectClose(output.mean([0, 2, 3]).doubles, [0, 0], rtol: 0, atol: 1e-5)

    store.statisticsMomentum = 1
    _ = layer(input)
    expectClose(store.entries[2].tensor, input.mean([0, 2, 3]), rtol: 1e-6)
    expectClose(store.entries[3].tensor, input.variance([0, 2, 3]), rtol: 1e-5)
    #expect(store.entries[4].tensor.ints() == [1])
  }

  @Test func modulesComposeInOrder() {
    let chain = Sequential([ReLU(), Flatten(), Linear(2, 1, at: store.root)])
    withoutGrad {
      _ = store.entries[0].tensor.copy_(Tensor([1.0, 10], shape: [1, 2]))
      _ = store.entries[1].tensor.fill_(100)
    }
    let output = chain(Tensor([Float(-3), 4], shape: [1, 2, 1, 1]))
    #expect(output.floats() == [140])
  }
}
