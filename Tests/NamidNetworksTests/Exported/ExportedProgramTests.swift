import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidNetworks

/// Programs exported by PyTorch have PyTorch's logits and gradients.
@Suite(.serialized) struct ExportedProgramTests {
  @Test(arguments: ExportedFixture.names) func logitsAndInputGradients(_ name: String) throws {
    try expectPyTorch(ExportedFixture.network(name), ExportedFixture.numbers(name))
  }

  @Test(arguments: ExportedFixture.names) func frozenLogitsAndInputGradients(_ name: String) throws
  {
    let network = try ExportedFixture.network(name)
    try network.frozen { try expectPyTorch(network, ExportedFixture.numbers(name)) }
  }

  @Test func weightGradients() throws {
    let network = try ExportedFixture.network("resnet")
    let numbers = try ExportedFixture.numbers("resnet")
    network.store.setRequiresGrad(true)
    let logits = network.logits(try #require(numbers["images"]))
    (logits * (try #require(numbers["direction"]))).sum().backward()
    let expected = numbers.filter { $0.key.hasPrefix("gradient/") }
    #expect(expected.count == 3)
    for (name, gradient) in expected {
      let entry = network.store.entries.first { "gradient/\($0.name)" == name }
      expectClose(
        try #require(entry?.tensor.grad), gradient, rtol: 1e-4, atol: 1e-4, name)
    }
  }

  @Test func specificationAndStateAreThoseOfThePython() throws {
    let program = try ExportedProgram(contentsOf: ExportedFixture.url("resnet"))
    #expect(
      program.specification
        == NetworkSpecification(
          architecture: "exported", width: 1, classCount: 10, channels: 3, imageHeight: 8,
          imageWidth: 8))
    #expect(program.torchVersion.hasPrefix("2.13"))
    #expect(program.batch == .init(smallest: 2, largest: .max))
    #expect(!program.hasTrainingMode)
    let store = try program.network().store
    let names = store.entries.map(\.name)
    #expect(names.contains("inner.blocks.1.downsample.1.running_var"))
    #expect(names.contains("mean") && !names.contains("deviation"))
    // 3·8·9 + 8 + 2·8; 2·(8·8·9 + 2·8); 8·12·9 + 12·12·9 + 8·12 + 3·2·12; 12·10 + 10.
    #expect(store.parameterCount == 240 + 1184 + 2328 + 130)
    let counter = try #require(store.entries.first { $0.name.hasSuffix("num_batches_tracked") })
    #expect(counter.tensor.dtype == .int64 && !counter.isTrainable)
  }

  @Test func batchesOfAnySizeAreServed() throws {
    for name in ["resnet", "resnet-fixed"] {
      let network = try ExportedFixture.network(name)
      let numbers = try ExportedFixture.numbers(name)
      let images = try #require(numbers["images"])
      let expected = try #require(numbers["logits"])
      for count in [1, 2, 3, 4, 5] {
        let logits = withoutGrad { network.logits(images.slice(0..<count)) }
        expectClose(logits, expected.slice(0..<count), rtol: 1e-4, atol: 1e-4, "\(name) \(count)")
      }
      #expect(network.logits(images.slice(0..<0)).shape == [0, 10])
    }
    let fixed = try ExportedProgram(contentsOf: ExportedFixture.url("resnet-fixed"))
    #expect(fixed.batch == .init(smallest: 4, largest: 4) && fixed.batch.isFixed)
  }

  @Test func imagesStayAsTheyAre() throws {
    for name in ["resnet", "mixed"] {
      let network = try ExportedFixture.network(name)
      let images = ClosedForm.picture([3, 3, 8, 8])
      let before = images.clone()
      withoutGrad { _ = network.logits(images) }
      expectIdentical(images, before)
    }
  }

  /// An export whose first operator changes the images needs a copy of them.
  @Test func operatorsThatChangeTheirInputChangeACopy() throws {
    let program = try ExportedFixture.replacing(
      "resnet", [("torch.ops.aten.sub.Tensor", "torch.ops.aten.sub_.Tensor")])
    #expect(program.plan.copiesImages)
    try expectPyTorch(program.network(), ExportedFixture.numbers("resnet"))
  }

  @Test func theRunFolderRebuildsTheNetwork() throws {
    let program = try ExportedProgram(contentsOf: ExportedFixture.url("vit"))
    let network = try program.network()
    let state = Dictionary(
      uniqueKeysWithValues: network.store.state.map { ($0.name, $0.tensor.detach().clone()) })
    let again = try Network(
      program.specification, stream: RandomStream(seed: 1),
      architectures: Architecture.all + [program.architecture])
    try again.store.load(state: state)
    try program.check(again)
    let images = ClosedForm.picture([4, 3, 8, 8])
    withoutGrad { expectIdentical(again.logits(images), network.logits(images)) }
    #expect(again.fingerprint == network.fingerprint)
  }

  @Test func fingerprintsTellGraphsApart() throws {
    let one = try ExportedFixture.network("convnext")
    let other = try ExportedFixture.replacing(
      "convnext", [("torch.ops.aten.gelu.default", "torch.ops.aten.silu.default")])
    let changed = try other.network()
    #expect(changed.fingerprint != one.fingerprint)
  }

  @Test func otherImagesAreRefused() throws {
    let program = try ExportedProgram(contentsOf: ExportedFixture.url("tuple"))
    var specification = program.specification
    specification.imageHeight = 9
    #expect(throws: NetworkError.self) {
      try Network(
        specification, stream: RandomStream(seed: 0), architectures: [program.architecture])
    }
  }

  @Test(arguments: ["resnet", "vit", "convnext", "mixed"])
  func worksInLowPrecision(_ name: String) throws {
    let network = try ExportedFixture.network(name)
    let numbers = try ExportedFixture.numbers(name)
    let rough = withPrecision(.bfloat16) {
      network.frozen { withoutGrad { network.logits(numbers["images"] ?? .zeros([])) } }
    }
    #expect(rough.dtype == .float32)
    expectClose(rough, try #require(numbers["logits"]), rtol: 0.1, atol: 0.1)
  }

  @Test func nothingIsLeftAlive() throws {
    let images = ClosedForm.picture([2, 3, 8, 8])
    let network = try ExportedFixture.network("mixed")
    expectNoTensorLeak {
      images.requiresGrad = true
      _ = grad(of: network.logits(images).sum(), wrt: images)
    }
  }
}
