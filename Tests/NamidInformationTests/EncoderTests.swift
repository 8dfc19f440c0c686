import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidInformation

@Suite(.serialized) struct EncoderTests {
  struct Facts: Decodable {
    let parameters: [String: Int]
    let state_dict: [String: [Entry]]
  }
  struct Entry: Decodable, Equatable {
    let key: String
    let shape: [Int]
    let dtype: String
  }

  func entries(_ store: ParameterStore) -> [Entry] {
    store.state.map { name, tensor in
      Entry(key: name, shape: tensor.shape, dtype: tensor.dtype == .int64 ? "I64" : "F32")
    }
  }

  @Test func keysAreThoseOfTheAuthors() throws {
    let facts = try Golden.json("encoders", as: Facts.self)
    let local = ParameterStore(stream: RandomStream(seed: 0))
    _ = LocalEncoder(channels: 3, at: local.root)
    #expect(entries(local) == facts.state_dict["local.rgb.units2048"])
    #expect(local.parameterCount == facts.parameters["local.rgb.units2048"])
    let global = ParameterStore(stream: RandomStream(seed: 0))
    _ = GlobalEncoder(classCount: 10, at: global.root)
    #expect(entries(global) == facts.state_dict["global.classes10.units2048"])
    #expect(global.parameterCount == facts.parameters["global.classes10.units2048"])
  }

  @Test func parameterCountsAreThoseOfPyTorch() throws {
    let counts = try Golden.json("encoders", as: Facts.self).parameters
    #expect(counts.count == 7)
    for (name, count) in counts {
      let store = ParameterStore(stream: RandomStream(seed: 0))
      let units = name.hasSuffix("units64") ? 64 : 2048
      if name.hasPrefix("local") {
        _ = LocalEncoder(channels: name.contains("rgb") ? 3 : 1, units: units, at: store.root)
      } else {
        _ = GlobalEncoder(classCount: name.contains("200") ? 200 : 10, units: units, at: store.root)
      }
      #expect(store.parameterCount == count, "\(name)")
    }
  }

  /// A closed-form encoder in both modes; golden outputs are (N, units, h, w).
  func check(
    _ name: String, input: Tensor, in store: ParameterStore, _ encoder: (Tensor) -> Tensor
  ) throws {
    for mode in ["eval", "train"] {
      ClosedForm.fill(store)
      store.isTraining = mode == "train"
      store.zeroGrad()
      let golden = try Golden.tensors("encoders", dtype: .float32).below("\(name)/\(mode)")
      let expected = try golden["output"]
      let seed = ClosedForm.tensor("grad_output", expected.shape)
      let leaf = input.clone()
      leaf.requiresGrad = true
      let output = encoder(leaf)
      let arranged = { (t: Tensor) in t.flatten(2).permute([2, 0, 1]).reshape(output.shape) }
      expectGolden(output, arranged(expected), "\(name) \(mode) output")
      (output * arranged(seed)).sum().backward()
      expectGolden(try #require(leaf.grad), try golden["grad.input"], "\(name) \(mode) input")
      var checked = 0
      for (key, tensor) in store.state {
        if let norm = golden.find("grad_norm.\(key)") {
          expectGolden(try #require(tensor.grad).norm(), norm, "\(name) \(mode) \(key)")
          checked += 1
        } else if let statistic = golden.find(key) {
          expectGolden(tensor, statistic, "\(name) \(mode) \(key)")
          checked += 1
        }
      }
      #expect(checked == golden.names.count - 2)
    }
  }

  @Test func localEncoderOfColourImages() throws {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let encoder = LocalEncoder(channels: 3, units: 64, at: store.root)
    let picture = ClosedForm.picture([2, 3, 32, 32])
    #expect(encoder(picture).shape == [64, 2, 64])
    try check("local.rgb32", input: picture, in: store, encoder.callAsFunction)
  }

  @Test func localEncoderOfGreyImages() throws {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let encoder = LocalEncoder(channels: 1, units: 64, at: store.root)
    let picture = ClosedForm.picture([1, 1, 28, 28])
    #expect(encoder(picture).shape == [49, 1, 64])
    try check("local.grey28", input: picture, in: store, encoder.callAsFunction)
  }

  @Test func globalEncoder() throws {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let encoder = GlobalEncoder(classCount: 10, units: 64, at: store.root)
    let logits = ClosedForm.tensor("input", [4, 10], scale: 2)
    #expect(encoder(logits).shape == [4, 64])
    try check("global.logits10", input: logits, in: store, encoder.callAsFunction)
  }

  @Test func featuresAreFloat32InLowPrecisionToo() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let local = LocalEncoder(channels: 1, units: 8, at: store.root / "local")
    let global = GlobalEncoder(classCount: 3, units: 8, at: store.root / "global")
    withPrecision(.bfloat16) {
      #expect(local(ClosedForm.picture([1, 1, 8, 8])).dtype == .float32)
      #expect(global(.ones([1, 3])).dtype == .float32)
    }
  }
}
