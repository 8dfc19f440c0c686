import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidNetworks

@Suite(.serialized) struct StateDictionaryTests {
  func makeStore() -> ParameterStore {
    let store = ParameterStore(stream: RandomStream(seed: 1))
    _ = Conv2d(2, 3, kernel: 3, bias: false, at: store.root / "conv")
    _ = BatchNorm2d(3, at: store.root / "bn")
    _ = Linear(3, 2, at: store.root / "fc")
    return store
  }

  /// New values for every tensor of the store.
  func otherValues() -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: makeStore().entries.map { entry in
        (
          entry.name,
          entry.name.hasSuffix("num_batches_tracked")
            ? Tensor([5], shape: []) : ClosedForm.tensor(entry.name, entry.tensor.shape)
        )
      })
  }

  func expectLoaded(_ store: ParameterStore, _ state: [String: Tensor]) {
    for entry in store.entries {
      guard let value = state[entry.name] else { continue }
      expectIdentical(entry.tensor.detach(), value.detach(), entry.name)
    }
  }

  @Test func valuesAreTakenOverInPlace() throws {
    let store = makeStore()
    let conv = store.entries[0].tensor
    try store.load(state: otherValues())
    expectLoaded(store, otherValues())
    #expect(conv === store.entries[0].tensor && conv.strides == [18, 1, 6, 2])
    #expect(conv.requiresGrad && conv.grad == nil)
  }

  @Test func ownStateRoundTrips() throws {
    let (store, other) = (makeStore(), makeStore())
    try store.load(state: otherValues())
    try other.load(state: Dictionary(uniqueKeysWithValues: store.state))
    expectLoaded(other, otherValues())
  }

  @Test(arguments: ["module.", "model.", "_orig_mod.", "module._orig_mod.", "model.module.model."])
  func prefixesOfWrappersAreTakenOff(_ prefix: String) throws {
    let store = makeStore()
    let state = otherValues().map { (prefix + $0.key, $0.value) }
    try store.load(state: Dictionary(uniqueKeysWithValues: state))
    expectLoaded(store, otherValues())
  }

  @Test func aPrefixOfSomeKeysIsNotAWrapper() throws {
    var state = otherValues()
    state["module.fc.bias"] = state.removeValue(forKey: "fc.bias")
    let error = try #require(throws: StateDictionaryError.self) {
      try makeStore().load(state: state)
    }
    #expect(error.missing == ["fc.bias"] && error.unexpected == ["module.fc.bias"])
  }

  @Test func countersMayBeMissingOrHaveOneElement() throws {
    var state = otherValues()
    state["bn.num_batches_tracked"] = nil
    let store = makeStore()
    try store.load(state: state)
    #expect(store.entries[5].tensor.ints() == [0])
    state["bn.num_batches_tracked"] = Tensor([7], shape: [1])
    try store.load(state: state)
    #expect(store.entries[5].tensor.ints() == [7] && store.entries[5].tensor.shape == [])
  }

  @Test func allProblemsAreNamedAtOnce() throws {
    var state = otherValues()
    state["conv.weight"] = .zeros([3, 2, 1, 1])
    state["fc.weight"] = .zeros([2, 4])
    state["bn.weight"] = nil
    state["fc.bias"] = nil
    state["head.weight"] = .zeros([1])
    state["aux"] = .zeros([1])
    let error = try #require(throws: StateDictionaryError.self) {
      try makeStore().load(state: state)
    }
    #expect(error.missing == ["bn.weight", "fc.bias"])
    #expect(error.unexpected == ["aux", "head.weight"])
    #expect(error.misshaped.map(\.name) == ["conv.weight", "fc.weight"])
    #expect(
      error.description == """
        Missing key(s) in state_dict: bn.weight, fc.bias
        Unexpected key(s) in state_dict: aux, head.weight
        size mismatch for conv.weight: the network has [3, 2, 3, 3], the file [3, 2, 1, 1]
        size mismatch for fc.weight: the network has [2, 3], the file [2, 4]
        Take the file of a network of the same architecture, width, classes and images
        """)
  }

  @Test func aFailedLoadChangesNothing() {
    let store = makeStore()
    let before = store.entries.map { $0.tensor.detach().clone() }
    var state = otherValues()
    state["fc.bias"] = .zeros([3])
    #expect(throws: StateDictionaryError.self) { try store.load(state: state) }
    #expect(throws: StateDictionaryError.self) { try store.load(state: [:]) }
    for (entry, old) in zip(store.entries, before) {
      expectIdentical(entry.tensor.detach(), old, entry.name)
    }
  }

  @Test func otherElementTypesAreConverted() throws {
    let store = makeStore()
    try store.load(state: otherValues().mapValues { $0.to(.float64) })
    expectLoaded(store, otherValues())
  }
}
