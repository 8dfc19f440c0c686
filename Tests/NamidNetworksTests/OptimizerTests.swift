import Foundation
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidNetworks

@Suite(.serialized) struct OptimizerTests {
  struct Facts: Decodable {
    let steps: Int
    let kept: [Int]
    let cases: [String: Options]
  }
  struct Options: Decodable {
    let kind: String
    let lr: Double
    var betas: [Double]?
    var eps: Double?
    var momentum: Double?
    var weight_decay: Double?
    var dampening: Double?
    var nesterov: Bool?
    var lr_after_step_10: Double?
  }

  /// Two tensors with golden initial values.
  func makeStore() throws -> ParameterStore {
    let golden = try Golden.tensors("optimizers", dtype: .float32)
    let store = ParameterStore(stream: RandomStream(seed: 0))
    for name in ["a", "b"] {
      let value = try golden["initial.\(name)"]
      let parameter = store.root.parameter(name, value.shape, .constant(0))
      withoutGrad { _ = parameter.copy_(value) }
    }
    return store
  }

  func optimizer(_ o: Options, _ store: ParameterStore) -> any Optimizer {
    if o.kind == "sgd" {
      return SGD(
        store, momentum: o.momentum ?? 0, weightDecay: o.weight_decay ?? 0,
        dampening: o.dampening ?? 0, nesterov: o.nesterov ?? false)
    }
    return Adam(
      store, beta1: o.betas?[0] ?? 0.9, beta2: o.betas?[1] ?? 0.999, epsilon: o.eps ?? 1e-8,
      weightDecay: o.weight_decay ?? 0, decoupled: o.kind == "adamw")
  }

  /// Leaves the closed-form gradient of a step in every parameter.
  func setGradients(_ store: ParameterStore, step: Int) {
    for parameter in store.parameters {
      let wave = (0..<parameter.count).map { Float(sin(0.1 * Double(step) + 0.3 * Double($0))) }
      parameter.grad = Tensor(wave, shape: parameter.shape) + parameter.detach() * 0.1
    }
  }

  func run(
    _ steps: ClosedRange<Int>, _ o: Options, _ optimizer: any Optimizer, _ store: ParameterStore
  ) {
    for step in steps {
      setGradients(store, step: step)
      optimizer.step(learningRate: step > 10 ? o.lr_after_step_10 ?? o.lr : o.lr)
    }
  }

  @Test func trajectoriesAreThoseOfPyTorch() throws {
    let facts = try Golden.json("optimizers", as: Facts.self)
    let all = try Golden.tensors("optimizers", dtype: .float32)
    #expect(facts.cases.count == 12 && facts.steps == 20)
    for (name, options) in facts.cases {
      let golden = all.below(name)
      let store = try makeStore()
      let optimizer = optimizer(options, store)
      var done = 0
      for kept in facts.kept {
        run(done + 1...kept, options, optimizer, store)
        done = kept
        for entry in store.entries {
          let expected = try golden["step\(kept).\(entry.name)"]
          expectGolden(entry.tensor.detach(), expected, "\(name) step \(kept) of \(entry.name)")
        }
      }
      let expected = golden.names.filter { $0.hasPrefix("state.") }.map { $0.dropFirst(6) }
      let state = optimizer.state.filter { $0.name != "step" }
      #expect(Set(state.map { Substring($0.name) }) == Set(expected), "\(name)")
      for (key, tensor) in state {
        expectGolden(tensor, try golden["state.\(key)"], "\(name) state \(key)")
      }
    }
  }

  @Test func aSavedRunGoesOnIdentically() throws {
    for (name, options) in try Golden.json("optimizers", as: Facts.self).cases {
      let store = try makeStore()
      let first = optimizer(options, store)
      run(1...7, options, first, store)
      let weights = Dictionary(
        uniqueKeysWithValues: store.state.map { ($0.name, $0.tensor.detach().clone()) })
      let state = Dictionary(
        uniqueKeysWithValues: first.state.map { ($0.name, $0.tensor.detach().clone()) })
      run(8...20, options, first, store)

      let resumed = try makeStore()
      let second = optimizer(options, resumed)
      #expect(Set(second.state.map(\.name)) == Set(state.keys))
      try resumed.load(state: weights)
      try second.load(state: state)
      run(8...20, options, second, resumed)
      for (a, b) in zip(store.entries, resumed.entries) {
        expectIdentical(b.tensor, a.tensor, "\(name) \(a.name)")
      }
      for (a, b) in zip(first.state, second.state) {
        expectIdentical(b.tensor, a.tensor, "\(name) state \(a.name)")
      }
    }
  }

  @Test func layoutOfGradientsDoesNotMatter() throws {
    for (name, options) in try Golden.json("optimizers", as: Facts.self).cases {
      let results = [MemoryFormat.contiguous, .channelsLast].map { format in
        let store = ParameterStore(stream: RandomStream(seed: 0))
        let weight = store.root.parameter("w", [2, 3, 2, 2], .uniform(bound: 1))
        #expect(weight.strides == [12, 1, 6, 3])
        let optimizer = optimizer(options, store)
        for step in 1...3 {
          let gradient = ClosedForm.tensor("step\(step)", [2, 3, 2, 2]).contiguous(format)
          weight.grad = gradient
          optimizer.step(learningRate: options.lr)
          #expect(weight.grad?.strides == gradient.strides)
        }
        return weight.detach()
      }
      expectIdentical(results[0], results[1], name)
      // The layout is worth testing only if it is not that of the parameter by chance.
      #expect(results[0].strides != results[0].contiguous(.contiguous).strides)
    }
  }

  /// A 1×1 kernel is laid out alike in both formats, whatever its strides say.
  @Test func gradientsOfOneByOneKernelsAreNotCopied() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let weight = store.root.parameter("w", [2, 3, 1, 1], .constant(0))
    let gradient = Tensor((1...6).map(Float.init), shape: [2, 3, 1, 1])
    #expect(weight.strides != gradient.strides)
    weight.grad = gradient
    let optimizer = SGD(store)
    let counts = CallCounter.count { optimizer.step(learningRate: 1) }
    #expect(counts.operators == [.fusedSgd: 1])
    expectIdentical(weight.detach(), -gradient)
  }

  @Test func aStepOfAdamIsTwoCalls() throws {
    let store = try makeStore()
    let optimizer = Adam(store)
    setGradients(store, step: 1)
    let counts = CallCounter.count { optimizer.step(learningRate: 0.1) }
    #expect(counts.operators == [.foreachAddScalar: 1, .fusedAdam: 1])
    let steps = optimizer.state.filter { $0.name.hasPrefix("step.") }.map(\.tensor)
    #expect(steps.map { $0.item() } == [1, 1])
    #expect(steps.map(\.device) == store.parameters.map(\.device))
  }

  @Test func parametersWithoutAGradientStay() throws {
    for make in [{ SGD($0, momentum: 0.9, weightDecay: 0.1) }, { Adam($0, weightDecay: 0.1) }]
      as [(ParameterStore) -> any Optimizer]
    {
      let store = try makeStore()
      let optimizer = make(store)
      let before = store.parameters.map { $0.detach().clone() }
      optimizer.step(learningRate: 0.1)
      store.parameters[1].grad = store.parameters[1].onesLike().detach()
      optimizer.step(learningRate: 0.1)
      expectIdentical(store.parameters[0].detach(), before[0])
      #expect(store.parameters[1].floats() != before[1].floats())
    }
  }

  @Test func buffersAreNotTrained() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    _ = BatchNorm2d(2, at: store.root)
    #expect(
      SGD(store, momentum: 0.9).state.map(\.name) == [
        "step", "momentum_buffer.weight", "momentum_buffer.bias",
      ])
  }

  @Test func aStateOfAnotherNetworkIsRefusedWhole() throws {
    let store = try makeStore()
    let optimizer = Adam(store)
    var state = Dictionary(
      uniqueKeysWithValues: optimizer.state.map { ($0.name, $0.tensor.onesLike()) })
    state["exp_avg.a"] = .ones([4, 3])
    state["exp_avg.b"] = nil
    state["exp_avg.c"] = .ones([1])
    let error = try #require(throws: StateDictionaryError.self) {
      try optimizer.load(state: state)
    }
    #expect(error.missing == ["exp_avg.b"] && error.unexpected == ["exp_avg.c"])
    #expect(error.misshaped.map(\.name) == ["exp_avg.a"])
    for (name, tensor) in optimizer.state { #expect(tensor.abs().sum().item() == 0, "\(name)") }
  }

  @Test func counterOfOneElementIsReadAsAScalar() throws {
    let store = try makeStore()
    let optimizer = SGD(store)
    try optimizer.load(state: ["step": Tensor([3], shape: [1])])
    #expect(optimizer.state[0].tensor.ints() == [3])
  }

  @Test func aStepLeavesNoTensorsBehind() throws {
    let store = try makeStore()
    let optimizer = SGD(store, momentum: 0.9)
    setGradients(store, step: 1)
    expectNoTensorLeak { for _ in 0..<3 { optimizer.step(learningRate: 0.1) } }
  }
}
