import NamidTorch

/// A residual network of pre-activation blocks for small images: PreActResNet, the wide residual networks
/// (Zagoruyko and Komodakis, BMVC 2016) and what was made of them.
struct PreActivationNetwork: Module {
  private let stem: Conv2d
  private let blocks: [PreActivationBlock]
  private let norm: BatchNorm2d?
  private let sparsity: MeanSparsity?
  private let activation: ActivationLayer
  private let classifier: ClassifierHead

  /// Registers a network.
  ///
  /// With `usesFanOut` convolutions begin as in the code of TRADES (He's normal values by fan-out, biases 0), else as
  /// PyTorch begins them.
  init(
    _ specification: NetworkSpecification, _ design: NetworkDesign, usesFanOut: Bool = false,
    at path: Path
  ) {
    let weights = { usesFanOut ? Initializer.kaimingNormal(fanOut: $0) : nil }
    let names = PreActivationNames(design.naming)
    var channels = design.stemChannels
    stem = Conv2d(
      specification.channels, channels, kernel: 3, padding: specification.firstConvolutionPadding,
      bias: false, initial: weights(9 * channels), at: path / names.stem)
    activation = ActivationLayer(design.activation, at: path / "activation")
    var blocks: [PreActivationBlock] = []
    for (stage, (depth, width)) in zip(design.depths, design.widths).enumerated() {
      for place in 0..<depth {
        blocks.append(
          PreActivationBlock(
            channels, width, stride: stage > 0 && place == 0 ? 2 : 1, design,
            activation: activation, at: names.block(stage, place).reduce(path) { $0 / $1 },
            weights: weights))
        channels = width
      }
    }
    self.blocks = blocks
    norm = design.hasFinalNorm ? BatchNorm2d(channels, at: path / names.norm) : nil
    sparsity = design.hasMeanSparsity ? MeanSparsity(channels, at: path / "meansparse_end") : nil
    classifier = ClassifierHead(
      channels, specification.classCount, design, initialBias: usesFanOut ? .constant(0) : nil,
      at: path / names.classifier)
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    var features = blocks.reduce(stem(input)) { $1($0) }
    if let norm {
      features = norm(features)
      features = activation(sparsity?(features) ?? features)
    }
    return classifier(features.mean([2, 3]))
  }
}

/// The last layer of a network.
struct ClassifierHead: Module {
  private let linear: Linear
  private let isCosine: Bool

  init(
    _ features: Int, _ classes: Int, _ design: NetworkDesign, initialBias: Initializer? = nil,
    at path: Path
  ) {
    linear = Linear(
      features, classes, bias: design.hasClassifierBias, initialBias: initialBias, at: path)
    isCosine = design.head == .cosine
  }

  func callAsFunction(_ features: Tensor) -> Tensor {
    guard isCosine else { return linear(features) }
    return unit(features).linear(unit(linear.weight), bias: linear.bias)
  }

  /// Rows divided by their Euclidean norms.
  private func unit(_ rows: Tensor) -> Tensor {
    rows / rows.square().sum([1], keepdim: true).sqrt().clamp(min: 1e-12)
  }
}

extension NetworkDesign {
  /// PreActResNet-18 of a base width as in the work on robust overfitting (Rice et al., ICML 2020) and on adversarial
  /// weight perturbation (Wu et al., NeurIPS 2020): a last batch norm and a rectifier stand before the pooling.
  public static func preActResNet18(width: Int) -> NetworkDesign {
    var design = NetworkDesign()
    (design.stemChannels, design.widths) = (width, (0..<4).map { width << $0 })
    return design
  }

  /// A wide residual network of 6·n + 4 layers with three stages of n blocks, named as in the code of TRADES
  /// (Zhang et al., ICML 2019).
  ///
  /// The first convolution has 16 channels whatever the width. That code also registers a copy of the first stage,
  /// `sub_block1`, which it never uses; it is left out.
  static func wideResNet(depth: Int, width: Int) -> NetworkDesign {
    var design = NetworkDesign()
    (design.naming, design.stemChannels) = (.wideResNet, 16)
    design.depths = [Int](repeating: (depth - 4) / 6, count: 3)
    design.widths = (0..<3).map { width << $0 }
    return design
  }
}

extension Architecture {
  /// PreActResNet-18 with a choice of base width; 64 is its paper's.
  public static let preActResNet18 = Architecture(
    name: "preactresnet18", summary: "PreActResNet-18 for small images; its usual width is 64",
    family: "preactresnet", design: { .preActResNet18(width: $0) }, problem: \.firstWindowProblem,
    build: { PreActivationNetwork($0, .preActResNet18(width: $0.width), at: $1) })

  /// A pre-activation network of any design, as read off a checkpoint.
  public static let preActResNet = Architecture(
    name: "preactresnet", summary: "a pre-activation residual network read off a checkpoint",
    needsDesign: true, problem: \.firstWindowProblem,
    build: { specification, path in
      let design = specification.design ?? NetworkDesign()
      return PreActivationNetwork(
        specification, design, usesFanOut: design.naming != .cifar, at: path)
    })

  /// WideResNet-34-10: width 160 is widening factor 10, width 16·k makes WideResNet-34-k.
  public static let wideResNet34 = wideResNet(depth: 34)
  /// WideResNet-28-10: width 160 is widening factor 10, width 16·k makes WideResNet-28-k.
  public static let wideResNet28 = wideResNet(depth: 28)

  private static func wideResNet(depth: Int) -> Architecture {
    Architecture(
      name: "wideresnet-\(depth)-10",
      summary: "WideResNet-\(depth); width 160 is widening factor 10, 16 is 1",
      defaultWidth: 160, family: "preactresnet", design: { .wideResNet(depth: depth, width: $0) },
      problem: \.firstWindowProblem,
      build: {
        PreActivationNetwork(
          $0, .wideResNet(depth: depth, width: $0.width), usesFanOut: true, at: $1)
      })
  }
}
