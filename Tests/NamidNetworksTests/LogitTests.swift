import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

@Suite(.serialized) struct LogitTests {
  /// Logits, loss and gradients of a closed-form network on its closed-form picture.
  func check(_ network: Network, _ golden: GoldenTensors, labels: Tensor, picture: [Int]) throws {
    let input = ClosedForm.picture(picture)
    input.requiresGrad = true
    let logits = network.logits(input)
    expectGolden(logits, try golden["logits"], "logits")
    expectGolden(logits, try golden["logits.float32"], "float32 logits")
    let loss = logits.crossEntropy(labels)
    expectGolden(loss, try golden["loss"], "loss")
    loss.backward()
    expectGolden(try #require(input.grad), try golden["grad.input"], "gradient of the picture")
    var norms = 0
    for (name, tensor) in network.store.state {
      guard let expected = golden.find("grad_norm.\(name)") else { continue }
      expectGolden(try #require(tensor.grad).norm(), expected, "gradient of \(name)")
      norms += 1
    }
    #expect(norms >= 8)
  }

  func resNet18(padding: Int) throws -> Network {
    let network = try Network(
      NetworkSpecification(architecture: "resnet18", width: 16, firstConvolutionPadding: padding),
      stream: RandomStream(seed: 0))
    ClosedForm.fill(network.store)
    return network
  }

  @Test(arguments: [0, 1]) func resNet18(_ padding: Int) throws {
    let all = try Golden.tensors("resnet18_logits", dtype: .float32)
    let labels = try all["labels"]
    for mode in ["eval", "train"] {
      let network = try resNet18(padding: padding)
      network.isTraining = mode == "train"
      let before = Dictionary(
        uniqueKeysWithValues: network.store.state.map { ($0.name, $0.tensor.detach().clone()) })
      let golden = all.below("padding\(padding)/\(mode)")
      try check(network, golden, labels: labels, picture: [2, 3, 32, 32])
      var statistics = 0
      for (name, tensor) in network.store.state where name.contains("running_") {
        if mode == "eval" {
          expectIdentical(tensor, try #require(before[name]), name)
        } else if let expected = golden.find(name) {
          expectGolden(tensor, expected, name)
          statistics += 1
        }
      }
      #expect(statistics == (mode == "train" ? 4 : 0))
      let counters = network.store.state.filter { $0.name.hasSuffix("num_batches_tracked") }
      #expect(counters.allSatisfy { $0.tensor.item() == (mode == "train" ? 1 : 0) })
      #expect(counters.count == 20)
    }
  }

  @Test func smallCNNHasTheLogitsOfPyTorch() throws {
    let all = try Golden.tensors("small_cnn", dtype: .float32)
    let network = try Network(smallCNN, stream: RandomStream(seed: 0))
    ClosedForm.fill(network.store)
    try check(
      network, all.below("eval"), labels: try all["labels"], picture: [2, 1, 28, 28])
  }

  @Test(arguments: [0, 1]) func aFrozenNetworkIsTheSameFunction(_ padding: Int) throws {
    let golden = try Golden.tensors("resnet18_logits", dtype: .float32)
    let expected = golden.below("padding\(padding)/eval")
    let network = try resNet18(padding: padding)
    network.isTraining = true
    let input = ClosedForm.picture([2, 3, 32, 32])
    input.requiresGrad = true
    let before = network.store.state.map { $0.tensor.detach().clone() }
    try network.frozen {
      #expect(!network.isTraining)
      let logits = network.logits(input)
      expectGolden(logits, try expected["logits"], "logits")
      logits.crossEntropy(try golden["labels"]).backward()
    }
    #expect(network.isTraining)
    expectGolden(try #require(input.grad), try expected["grad.input"], "gradient")
    for ((name, tensor), old) in zip(network.store.state, before) {
      expectIdentical(tensor.detach(), old, name)
      if name.contains("conv") { #expect(tensor.grad == nil, "\(name)") }
    }
  }

  @Test func freezingAnewSeesNewWeights() throws {
    let network = try resNet18(padding: 1)
    let picture = ClosedForm.picture([2, 3, 16, 16])
    func logits() -> Tensor { withoutGrad { network.logits(picture) } }
    let first = network.frozen(logits)
    withoutGrad {
      for (name, tensor) in network.store.state where name.contains("running_mean") {
        tensor.add_(tensor.onesLike(), alpha: 0.1)
      }
    }
    let second = network.frozen(logits)
    #expect((first - second).abs().max().item() > 0.01)
    expectClose(second, logits(), rtol: 0, atol: 1e-4)
  }

  @Test func freezingNestsAndEnds() throws {
    struct Stop: Error {}
    let network = try resNet18(padding: 1)
    let picture = ClosedForm.picture([2, 3, 16, 16])
    func logits() -> Tensor { withoutGrad { network.logits(picture) } }
    let thawed = logits()
    network.frozen {
      let outer = logits()
      _ = network.frozen { expectIdentical(logits(), outer) }
      expectIdentical(logits(), outer)
    }
    #expect(throws: Stop.self) { try network.frozen { throw Stop() } }
    expectIdentical(logits(), thawed)
    network.isTraining = true
    network.logits(picture).sum().backward()
    #expect(network.store.parameters.allSatisfy { $0.grad != nil })
  }

  @Test func aFrozenNetworkWorksInLowPrecision() throws {
    let network = try resNet18(padding: 1)
    let picture = ClosedForm.picture([2, 3, 16, 16])
    let exact = withoutGrad { network.logits(picture) }
    let rough = withPrecision(.bfloat16) {
      network.frozen { withoutGrad { network.logits(picture) } }
    }
    #expect(rough.dtype == .float32)
    expectClose(rough, exact, rtol: 0.1, atol: 0.2)
  }

  @Test func layoutOfTheInputDoesNotMatter() throws {
    let network = try resNet18(padding: 1)
    let picture = ClosedForm.picture([2, 3, 32, 32])
    expectIdentical(
      network.logits(picture.contiguous(.channelsLast)).detach(), network.logits(picture).detach())
  }

  @Test func modesDifferAndEvaluationDoesNotDependOnTheBatch() throws {
    let network = try resNet18(padding: 1)
    let pictures = ClosedForm.picture([3, 3, 32, 32])
    let together = withoutGrad { network.logits(pictures) }
    let alone = withoutGrad { network.logits(pictures.slice(1..<2)) }
    expectClose(alone, together.slice(1..<2), rtol: 1e-5, atol: 1e-5)
    network.isTraining = true
    let training = withoutGrad { network.logits(pictures) }
    #expect((training - together).abs().max().item() > 0.1)
  }

  @Test func aForwardPassCanLeaveTheStatisticsAlone() throws {
    let network = try resNet18(padding: 1)
    network.isTraining = true
    let pictures = ClosedForm.picture([3, 3, 16, 16])
    let before = network.store.state.map { $0.tensor.detach().clone() }
    let still = withoutGrad { network.logits(pictures, statisticsMomentum: 0) }
    for ((name, tensor), old) in zip(network.store.state, before) {
      expectIdentical(tensor.detach(), old, name)
    }
    #expect(network.store.statisticsMomentum == nil)
    let moving = withoutGrad { network.logits(pictures) }
    expectIdentical(still, moving)
    let moved = network.store.state.filter { $0.name == "bn1.running_mean" }[0].tensor
    #expect(moved.floats() != before[3].floats())
  }

  @Test func logitsAreFloat32InLowPrecisionToo() throws {
    let network = try Network(smallCNN, stream: RandomStream(seed: 0))
    withPrecision(.bfloat16) {
      #expect(network.logits(ClosedForm.picture([2, 1, 28, 28])).dtype == .float32)
    }
  }

  private static let weights = Golden.shared("golden/oracle/resnet18-width16.safetensors")
  private static let images = Golden.shared("golden/oracle/images.safetensors")

  @Test(.enabled("needs the reference figures in ../shared") { weights != nil && images != nil })
  func frozenNetworkHasTheLogitsOfPyTorch() throws {
    let (weights, images) = (try #require(Self.weights), try #require(Self.images))
    let network = try Network(
      NetworkSpecification(architecture: "resnet18", width: 16), stream: RandomStream(seed: 0))
    try network.store.load(state: Weights.read(weights))
    let data = try Weights.read(images)
    let pixels = try #require(data["images"]).to(.float32) / 255.0
    let logits = withoutGrad {
      Tensor.cat((0..<4).map { network.logits(pixels.slice($0 * 128..<$0 * 128 + 128)) })
    }
    expectClose(logits, try #require(data["logits"]), rtol: 0, atol: 1e-4)
    let labels = try #require(data["labels"])
    #expect((logits.argmax(1) .== labels).to(.int64).sum().ints() == [351])
  }
}
