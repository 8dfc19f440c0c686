import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

@Suite(.serialized) struct KeyTests {
  struct Facts: Decodable {
    let parameters: [String: Int]
    let state_dict: [String: [Entry]]
  }
  struct SmallFacts: Decodable {
    let parameters: Int
    let state_dict: [Entry]
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

  @Test(arguments: [64, 16]) func resNet18HasTheKeysOfPyTorch(_ width: Int) throws {
    let facts = try Golden.json("resnet18_keys", as: Facts.self)
    let network = try Network(
      NetworkSpecification(architecture: "resnet18", width: width), stream: RandomStream(seed: 0))
    let expected = try #require(facts.state_dict["width\(width).classes10.channels3"])
    #expect(entries(network.store) == expected)
    #expect(expected.count == 122)
  }

  @Test func resNet18HasTheParameterCountsOfPyTorch() throws {
    let facts = try Golden.json("resnet18_keys", as: Facts.self)
    #expect(facts.parameters.count == 16)
    for (name, count) in facts.parameters {
      let numbers = name.matches(of: /\d+/).compactMap { Int($0.output) }
      let network = try Network(
        NetworkSpecification(
          architecture: "resnet18", width: numbers[0], firstConvolutionPadding: numbers[1],
          classCount: numbers[2], channels: numbers[3]), stream: RandomStream(seed: 0))
      #expect(network.store.parameterCount == count, "\(name)")
    }
  }

  @Test func smallCNNHasTheKeysOfPyTorch() throws {
    let facts = try Golden.json("small_cnn", as: SmallFacts.self)
    let network = try Network(smallCNN, stream: RandomStream(seed: 0))
    #expect(entries(network.store) == facts.state_dict)
    #expect(network.store.parameterCount == facts.parameters)
  }

  @Test func unbuildableNetworksAreRefused() {
    func message(_ specification: NetworkSpecification) -> String {
      do {
        _ = try Network(specification, stream: RandomStream(seed: 0))
        return "built"
      } catch {
        return error.description
      }
    }
    #expect(message(NetworkSpecification(architecture: "resnet81")).contains("resnet18"))
    #expect(message(NetworkSpecification(architecture: "resnet18", width: 0)).contains("width"))
    let tiny = NetworkSpecification(
      architecture: "small-cnn", width: 16, channels: 1, imageHeight: 28, imageWidth: 3)
    #expect(message(tiny).contains("4 pixels"))
    let pixel = NetworkSpecification(
      architecture: "resnet18", width: 4, firstConvolutionPadding: 0, imageHeight: 2)
    #expect(message(pixel).contains("smaller"))
  }
}

let smallCNN = NetworkSpecification(
  architecture: "small-cnn", width: 16, channels: 1, imageHeight: 28, imageWidth: 28)
