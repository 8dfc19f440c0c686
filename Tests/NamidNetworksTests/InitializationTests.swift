import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidNetworks

@Suite(.serialized) struct InitializationTests {
  struct Facts: Decodable {
    let fanIn: Int
    let weightBound: Double
    let biasBound: Double
    let variance: Double
    enum CodingKeys: String, CodingKey {
      case fanIn = "fan_in"
      case weightBound = "weight_bound"
      case biasBound = "bias_bound"
      case variance
    }
  }

  @Test func weightsAndBiasesAreThoseOfPyTorch() throws {
    let facts = try Golden.json("init", as: [String: Facts].self)
    #expect(facts.count == 10)
    for (name, fact) in facts {
      let parts = name.split(separator: ".")
      let sizes = parts[1].split(separator: "x").compactMap { Int($0) }
      let store = ParameterStore(stream: RandomStream(seed: 4).keyed(name))
      if parts[0] == "conv2d" {
        _ = Conv2d(sizes[1], sizes[0], kernel: sizes[2], at: store.root)
      } else {
        _ = Linear(sizes[1], sizes[0], at: store.root)
      }
      let (weight, bias) = (store.entries[0].tensor, store.entries[1].tensor)
      #expect(weight.shape == sizes && bias.shape == [sizes[0]])
      let values = weight.detach().flatten().to(.float64)
      // float32 rounds the bound itself.
      let bound = fact.weightBound * (1 + 1e-6)
      #expect(values.abs().max().item() <= bound, "\(name)")
      #expect(values.abs().max().item() > bound * 0.95, "\(name)")
      #expect(bias.abs().max().item() <= fact.biasBound * (1 + 1e-6), "\(name)")
      // The standard error of a uniform variable's variance is 0.894·variance/√n.
      let count = Double(values.count)
      expectClose(
        values.variance([0]).item(), fact.variance, rtol: 6 * 0.894 / count.squareRoot(), name)
      expectClose(
        values.mean().item(), 0, rtol: 0, atol: 6 * (fact.variance / count).squareRoot(), name)
    }
  }

  @Test func normsBeginAsTheIdentity() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    _ = BatchNorm2d(3, at: store.root / "bn")
    _ = LayerNorm(2, at: store.root / "ln")
    let values = store.entries.map { $0.tensor.doubles }
    #expect(values == [[1, 1, 1], [0, 0, 0], [0, 0, 0], [1, 1, 1], [0], [1, 1], [0, 0]])
    #expect(store.entries[4].tensor.dtype == .int64)
  }

  @Test func shortcutsBeginNearTheIdentity() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let initial = Initializer.noisyIdentity(noise: 0.01)
    for (name, shape) in [("wide", [3, 5, 1, 1]), ("tall", [5, 3, 1, 1])] {
      let weight = store.root.parameter(name, shape, initial).detach().view([shape[0], shape[1]])
      #expect(weight.diagonal().floats() == [1, 1, 1])
      let rest = (weight.flatten().abs() .!= 1).nonzeroIndices()
      let noise = weight.flatten().indexSelect(rest).abs()
      #expect(noise.count == 12)
      #expect(noise.max().item() <= 0.01 && noise.max().item() > 0.005)
    }
  }

  @Test func valuesDependOnSeedAndNameAlone() {
    func weight(_ name: String, seed: Int, after others: Int = 0) -> Tensor {
      let store = ParameterStore(stream: RandomStream(seed: seed))
      for i in 0..<others { _ = Linear(3, 2, at: store.root / "other\(i)") }
      return Linear(3, 2, at: store.root / name).weight.detach()
    }
    expectIdentical(weight("a", seed: 1), weight("a", seed: 1, after: 2))
    #expect(weight("a", seed: 1).floats() != weight("b", seed: 1).floats())
    #expect(weight("a", seed: 1).floats() != weight("a", seed: 2).floats())
  }
}
