import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

/// What holds for every kind of network.
@Suite(.serialized) struct ArchitectureTests {
  static let names = Architecture.all.map(\.name)

  /// A narrow network, freshly initialised.
  func network(
    _ name: String, width: Int = 4, padding: Int = 1, classes: Int = 10, channels: Int = 3,
    height: Int = 32, imageWidth: Int = 32
  ) throws -> Network {
    try Network(
      NetworkSpecification(
        architecture: name, width: width, firstConvolutionPadding: padding, classCount: classes,
        channels: channels, imageHeight: height, imageWidth: imageWidth),
      stream: RandomStream(seed: 3))
  }

  func picture(_ network: Network, samples: Int = 2) -> Tensor {
    let specification = network.specification
    return ClosedForm.picture([
      samples, specification.channels, specification.imageHeight, specification.imageWidth,
    ])
  }

  @Test func namesAreDistinctAndDescribed() {
    #expect(
      Self.names == [
        "resnet18", "resnet34", "resnet50", "preactresnet18", "wideresnet-34-10",
        "wideresnet-28-10", "vgg19", "vgg16", "small-cnn",
      ])
    #expect(Architecture.all.allSatisfy { !$0.summary.isEmpty })
  }

  @Test func everyArchitectureHasItsOwnWidth() {
    let widths = Self.names.map { NetworkSpecification(architecture: $0).width }
    #expect(widths == [64, 64, 64, 64, 160, 160, 64, 64, 16])
    #expect(NetworkSpecification(architecture: "vgg19", width: 7).width == 7)
  }

  @Test(arguments: names) func gradientsReachTheInputAndAllParameters(_ name: String) throws {
    for isTraining in [false, true] {
      // VGG: more than one value per channel must be left for the statistics of a batch of two.
      let network = try network(name, height: 64, imageWidth: 64)
      network.isTraining = isTraining
      let input = picture(network)
      input.requiresGrad = true
      let labels = Tensor([3, 7], shape: [2])
      network.logits(input).crossEntropy(labels).backward()
      func size(_ tensor: Tensor) -> Double { tensor.grad?.abs().sum().item() ?? -1 }
      #expect(size(input) > 0 && size(input).isFinite)
      for entry in network.store.entries where entry.isTrainable {
        #expect(size(entry.tensor) > 0 && size(entry.tensor).isFinite, "\(entry.name)")
      }
    }
  }

  @Test(arguments: names) func weightsStayChannelsLast(_ name: String) throws {
    let network = try network(name, height: 64, imageWidth: 64)
    func check(_ when: String) {
      for (key, tensor) in network.store.state where tensor.rank == 4 && tensor.size(1) > 1 {
        #expect(tensor.strides[1] == 1, "\(key) \(when)")
        // The strides of a 1×1 window say nothing.
        if tensor.size(2) > 1, let gradient = tensor.grad {
          #expect(gradient.strides == tensor.strides, "gradient of \(key) \(when)")
        }
      }
    }
    check("at first")
    let copies = network.store.state.map { ($0.name, $0.tensor.detach().contiguous().clone()) }
    try network.store.load(state: Dictionary(uniqueKeysWithValues: copies))
    check("after loading")
    network.isTraining = true
    network.logits(picture(network)).sum().backward()
    check("after a gradient")
    SGD(network.store, momentum: 0.9).step(learningRate: 0.1)
    check("after a step")
    network.frozen { _ = withoutGrad { network.logits(picture(network)) } }
    check("after freezing")
  }

  @Test(arguments: names) func anyWidthClassCountAndSizeWork(_ name: String) throws {
    for (width, classes, channels, height, imageWidth) in [
      (1, 2, 1, 28, 28), (3, 200, 3, 64, 64), (5, 7, 3, 32, 32), (2, 3, 2, 33, 50),
    ] {
      for padding in [0, 1] {
        let network = try network(
          name, width: width, padding: padding, classes: classes, channels: channels,
          height: height, imageWidth: imageWidth)
        let input = picture(network, samples: 3)
        let logits = withoutGrad { network.logits(input) }
        #expect(logits.shape == [3, classes])
        let frozen = network.frozen { withoutGrad { network.logits(input) } }
        expectClose(frozen, logits, rtol: 1e-4, atol: 1e-4)
      }
    }
  }

  @Test(arguments: names) func frozenNetworksWorkInLowPrecision(_ name: String) throws {
    let network = try network(name, width: 8)
    let input = picture(network)
    let exact = withoutGrad { network.logits(input) }
    let rough = withPrecision(.bfloat16) {
      network.frozen { withoutGrad { network.logits(input) } }
    }
    #expect(rough.dtype == .float32)
    let scale = exact.abs().max().item()
    expectClose(rough, exact, rtol: 0, atol: 0.1 * scale)
  }

  @Test(arguments: names) func imagesThatAreTooSmallAreRefused(_ name: String) throws {
    func problem(side: Int, padding: Int) -> String? {
      do {
        let network = try network(
          name, padding: padding, channels: 1, height: 40, imageWidth: side)
        let logits = withoutGrad { network.logits(picture(network)) }
        #expect(logits.shape == [2, 10])
        return nil
      } catch { return "\(error)" }
    }
    if name == "small-cnn" {
      #expect(problem(side: 3, padding: 1)?.contains("4 pixels") == true)
      #expect(problem(side: 4, padding: 1) == nil)
    } else {
      let message = try #require(problem(side: 2, padding: 0))
      #expect(message.contains("2 pixels") && message.contains("they need 3"), "\(message)")
      #expect(problem(side: 3, padding: 0) == nil)
      #expect(problem(side: 1, padding: 1) == nil)
    }
  }

  @Test func numbersThatNoNetworkHasAreRefused() {
    func message(_ width: Int, _ padding: Int, _ classes: Int, _ channels: Int) -> String {
      do {
        _ = try network(
          "vgg19", width: width, padding: padding, classes: classes, channels: channels)
        return "built"
      } catch { return "\(error)" }
    }
    #expect(message(0, 1, 1, 1).contains("width is 0"))
    #expect(message(.max, 1, 1, 1).contains("it must be from 1 to 65536"))
    #expect(message(1, -1, 1, 1).contains("padding is -1; it must be from 0"))
    #expect(message(1, 1, 0, 1).contains("classes is 0"))
    #expect(message(1, 1, 1, -2).contains("channels is -2"))
    #expect(message(1, 1, 1, 1) == "built")
  }

  /// A linear layer that reads all pixels: 100 · 32 · 16384² weights.
  @Test func weightsBeyondTheMemoryAreRefused() throws {
    var specification = NetworkSpecification(architecture: "small-cnn", width: 16)
    (specification.imageHeight, specification.imageWidth) = (65_536, 65_536)
    do {
      _ = try Network(specification, stream: RandomStream(seed: 0))
      Issue.record("a network of terabytes was made")
    } catch {
      #expect("\(error)".contains("weights alone take about 3435 GB"), "\(error)")
    }
  }

  /// Counted without being made.
  @Test func parametersAreCountedWithoutValues() throws {
    for architecture in Architecture.all {
      let specification = NetworkSpecification(architecture: architecture.name, width: 4)
      let network = try Network(specification, stream: RandomStream(seed: 0))
      let count = ParameterStore.parameterCount { _ = architecture.build(specification, $0) }
      #expect(count == network.store.parameterCount, "\(architecture.name)")
    }
  }

  @Test func wideResNetsBeginAsTheAuthorsDo() throws {
    let network = try network("wideresnet-28-10", width: 32)
    var convolutions = 0
    for (key, tensor) in network.store.state where tensor.rank == 4 {
      let (values, shape) = (tensor.detach().flatten().to(.float64), tensor.shape)
      let variance = 2 / Double(shape[0] * shape[2] * shape[3])
      // The standard error of a normal variable's variance is √(2/n) of it.
      let count = Double(values.count)
      expectClose(
        values.variance([0]).item(), variance, rtol: 6 * (2 / count).squareRoot(), "\(key)")
      expectClose(values.mean().item(), 0, rtol: 0, atol: 6 * (variance / count).squareRoot(), key)
      convolutions += 1
    }
    #expect(convolutions == 28)
    let bias = try #require(network.store.state.first { $0.name == "fc.bias" }?.tensor)
    #expect(bias.floats() == Array(repeating: 0, count: 10))
    let weight = try #require(network.store.state.first { $0.name == "fc.weight" }?.tensor)
    let bound = 1 / Double(weight.shape[1]).squareRoot()
    #expect(weight.abs().max().item() <= bound * 1.000001)
  }

  /// The one convolution of a pre-activation block that freezing may change, as its output is read once.
  @Test(arguments: ["preactresnet18", "wideresnet-28-10", "vgg19"])
  func freezingFoldsWhatItCan(_ name: String) throws {
    let network = try network(name)
    let foldable = name == "vgg19" ? 16 : name == "preactresnet18" ? 8 : 12
    let input = picture(network)
    // Folding happens once per freeze, so statistics that change within it are seen by unfolded norms alone.
    network.frozen {
      withoutGrad {
        _ = network.logits(input)
        var blind = 0
        for (key, tensor) in network.store.state where key.hasSuffix("running_mean") {
          let before = network.logits(input)
          tensor.add_(tensor.onesLike(), alpha: 0.5)
          if network.logits(input).floats() == before.floats() { blind += 1 }
          tensor.sub_(tensor.onesLike(), alpha: 0.5)
        }
        #expect(blind == foldable)
      }
    }
  }
}
