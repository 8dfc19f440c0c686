import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidNetworks

@Suite(.serialized) struct WeightAverageTests {
  struct Stop: Error {}

  func makeStore() -> ParameterStore {
    let store = ParameterStore(stream: RandomStream(seed: 3))
    _ = Linear(2, 2, at: store.root / "fc")
    _ = BatchNorm2d(2, at: store.root / "bn")
    return store
  }

  @Test func averagesAreThoseOfPyTorch() throws {
    let options = OptimizerTests.Options(kind: "sgd", lr: 0.1, momentum: 0.9, weight_decay: 0.05)
    let all = try Golden.tensors("optimizers", dtype: .float32)
    let tests = OptimizerTests()
    let store = try tests.makeStore()
    let optimizer = tests.optimizer(options, store)
    let fromStart = WeightAverage(store, decay: 0.99)
    tests.run(1...1, options, optimizer, store)
    fromStart.update()
    let fromFirst = WeightAverage(store, decay: 0.99)
    for step in 1...20 {
      if step > 1 {
        tests.run(step...step, options, optimizer, store)
        fromStart.update()
        fromFirst.update()
      }
      guard [1, 5, 20].contains(step) else { continue }
      for (name, average) in [("from_start", fromStart), ("from_first_step", fromFirst)] {
        for (key, tensor) in average.state {
          expectGolden(tensor, try all["ema.\(name)/step\(step).\(key)"], "\(name) \(step) \(key)")
        }
      }
    }
  }

  @Test func statisticsAreAveragedAndCountersAreNot() {
    let store = makeStore()
    let average = WeightAverage(store, decay: 0.75)
    #expect(
      average.state.map(\.name)
        == ["fc.weight", "fc.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"])
    withoutGrad { for entry in store.entries { entry.tensor.fill_(4) } }
    average.update()
    let mean = average.state[4].tensor.floats()
    #expect(mean == [1, 1])
  }

  @Test func swappingPutsTheValuesBack() {
    let store = makeStore()
    let average = WeightAverage(store, decay: 0.5)
    withoutGrad { for entry in store.entries { entry.tensor.fill_(8) } }
    average.update()
    let before = store.entries.map { $0.tensor.detach().clone() }
    average.swappedIn {
      for (name, tensor) in average.state {
        let value = store.state.first { $0.name == name }?.tensor.detach()
        expectIdentical(value ?? .zeros([]), tensor, name)
      }
    }
    #expect(throws: Stop.self) { try average.swappedIn { throw Stop() } }
    for (entry, old) in zip(store.entries, before) {
      expectIdentical(entry.tensor.detach(), old, entry.name)
    }
    #expect(store.parameters.allSatisfy { $0.requiresGrad })
  }

  @Test func aSavedAverageGoesOn() throws {
    let store = makeStore()
    let average = WeightAverage(store, decay: 0.9)
    withoutGrad { for entry in store.entries { entry.tensor.fill_(1) } }
    average.update()
    let saved = Dictionary(
      uniqueKeysWithValues: average.state.map { ($0.name, $0.tensor.clone()) })
    let other = WeightAverage(makeStore(), decay: 0.9)
    try other.load(state: saved)
    for (a, b) in zip(average.state, other.state) { expectIdentical(b.tensor, a.tensor, a.name) }
    #expect(throws: StateDictionaryError.self) { try other.load(state: ["x": .ones([1])]) }
  }

  @Test func averagesDoNotFollowByThemselves() {
    let store = makeStore()
    let average = WeightAverage(store, decay: 0.9)
    let before = average.state.map { $0.tensor.clone() }
    withoutGrad { for entry in store.entries { entry.tensor.fill_(5) } }
    for ((name, tensor), old) in zip(average.state, before) { expectIdentical(tensor, old, name) }
    #expect(average.state.allSatisfy { !$0.tensor.requiresGrad })
  }
}
