import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

/// The golden files of the networks, each with its key lists, parameter counts and logits.
@Suite(.serialized) struct ArchitectureGoldenTests {
  /// What a golden JSON file says.
  struct Facts: Decodable {
    struct Case: Decodable {
      let modes: [String]
      let network: NetworkSpecification
    }
    struct Count: Decodable {
      let count: Int
      let network: NetworkSpecification
    }
    struct KeyList: Decodable {
      let keys: [KeyTests.Entry]
      let network: NetworkSpecification
    }
    let cases: [String: Case]
    let parameters: [Count]
    let state_dict: [KeyList]
  }

  static let files = ["resnet18_sizes", "preactresnet18", "wideresnet", "vgg19"]

  /// Rounding of float32 in a deep network.
  let tolerance = 2e-5
  /// Rounding that moves one input of a rectifier across zero changes gradients by up to 2e-3.
  let gradientTolerance = 5e-3

  func network(_ specification: NetworkSpecification) throws -> Network {
    try Network(specification, stream: RandomStream(seed: 0))
  }

  func filled(_ specification: NetworkSpecification) throws -> Network {
    let network = try network(specification)
    ClosedForm.fill(network.store)
    return network
  }

  func picture(_ network: NetworkSpecification) -> Tensor {
    ClosedForm.picture([2, network.channels, network.imageHeight, network.imageWidth])
  }

  @Test(arguments: files)
  func keysShapesAndParameterCountsAreThoseOfPyTorch(_ file: String) throws {
    let facts = try Golden.json(file, as: Facts.self)
    let lists = Dictionary(uniqueKeysWithValues: facts.state_dict.map { ($0.network, $0.keys) })
    #expect(lists.count >= 2)
    #expect(Set(facts.parameters.map(\.network.imageHeight)) == [28, 32, 64])
    var compared = 0
    for each in facts.parameters {
      let store = try network(each.network).store
      #expect(store.parameterCount == each.count, "\(each.network)")
      if let keys = lists[each.network] {
        #expect(KeyTests().entries(store) == keys, "\(each.network)")
        compared += 1
      }
    }
    #expect(compared == lists.count)
  }

  @Test(arguments: [
    ("resnet18", 11_173_962), ("preactresnet18", 11_172_170), ("wideresnet-34-10", 46_160_474),
    ("wideresnet-28-10", 36_479_194), ("vgg19", 20_040_522),
  ]) func theDefaultWidthIsThePapers(_ name: String, _ count: Int) throws {
    let file = ["resnet18": "resnet18_sizes"][name] ?? String(name.prefix { $0 != "-" })
    let counts = try Golden.json(file, as: Facts.self).parameters
    let specification = NetworkSpecification(architecture: name)
    #expect(counts.first { $0.network == specification }?.count == count)
  }

  @Test(arguments: files) func logitsAndGradientsAreThoseOfPyTorch(_ file: String) throws {
    let all = try Golden.tensors(file, dtype: .float32)
    let labels = try all["labels"]
    for (name, each) in try Golden.json(file, as: Facts.self).cases {
      for mode in each.modes {
        let golden = all.below("\(name)/\(mode)")
        let network = try filled(each.network)
        network.isTraining = mode == "train"
        let input = picture(each.network)
        input.requiresGrad = true
        let logits = network.logits(input)
        #expect(logits.shape == [2, each.network.classCount])
        let loss = logits.crossEntropy(labels)
        loss.backward()
        let gradient = try #require(input.grad)
        let found: [String: Tensor] = [
          "logits": logits, "loss": loss, "grad.input": gradient,
          "grad_norm.input": gradient.norm(),
        ]
        let state = Dictionary(
          uniqueKeysWithValues: network.store.state.map { ($0.name, $0.tensor) })
        for key in golden.names {
          let isNorm = key.hasPrefix("grad_norm.")
          let parameter = isNorm ? String(key.dropFirst("grad_norm.".count)) : key
          let actual = found[key] ?? (isNorm ? state[parameter]?.grad?.norm() : state[key])
          expectGolden(
            try #require(actual, "\(key)"), try golden[key], "\(name) \(mode) \(key)",
            tolerance: key.hasPrefix("grad") ? gradientTolerance : tolerance)
        }
        #expect(golden.names.count >= 6)
      }
    }
  }

  @Test(arguments: files) func frozenNetworksHaveTheSameLogitsAndGradients(_ file: String) throws {
    let all = try Golden.tensors(file, dtype: .float32)
    let labels = try all["labels"]
    for (name, each) in try Golden.json(file, as: Facts.self).cases
    where each.modes.contains("eval") {
      let golden = all.below("\(name)/eval")
      let network = try filled(each.network)
      network.isTraining = true
      let input = picture(each.network)
      input.requiresGrad = true
      let before = network.store.state.map { $0.tensor.detach().clone() }
      try network.frozen {
        let logits = network.logits(input)
        expectGolden(logits, try golden["logits"], "\(name) logits", tolerance: tolerance)
        let gradient = grad(of: logits.crossEntropy(labels), wrt: input)
        if let expected = golden.find("grad.input") {
          expectGolden(gradient, expected, "\(name) gradient", tolerance: gradientTolerance)
        }
        if let expected = golden.find("grad_norm.input") {
          expectGolden(gradient.norm(), expected, "\(name) norm", tolerance: gradientTolerance)
        }
      }
      for ((key, tensor), old) in zip(network.store.state, before) {
        expectIdentical(tensor.detach(), old, "\(name) \(key)")
      }
    }
  }
}
