import NamidTorch

/// Convolutions with a shortcut around them (He et al., CVPR 2016): two 3×3 ones, or a bottleneck of a 1×1, a 3×3 with
/// the stride, and a 1×1 with four times as many channels.
struct ResidualBlock: Module {
  /// The channels at the ends of a bottleneck, in multiples of those inside.
  static let expansion = 4
  private let convolutions: [NormalizedConv2d]
  private let shortcut: NormalizedConv2d?

  init(_ input: Int, _ width: Int, stride: Int, _ design: NetworkDesign, at path: Path) {
    let output = design.hasBottlenecks ? width * Self.expansion : width
    let layers =
      design.hasBottlenecks
      ? [(input, width, 1, 1), (width, width, 3, stride), (width, output, 1, 1)]
      : [(input, width, 3, stride), (width, width, 3, 1)]
    convolutions = zip(layers, 1...).map { layer, number in
      NormalizedConv2d(
        layer.0, layer.1, kernel: layer.2, stride: layer.3, padding: layer.2 / 2,
        at: path / "conv\(number)", norm: path / "bn\(number)")
    }
    let bypass = path / (design.naming == .torchvision ? "downsample" : "shortcut")
    shortcut =
      stride == 1 && input == output
      ? nil
      : NormalizedConv2d(
        input, output, kernel: 1, stride: stride, at: bypass / 0, norm: bypass / 1)
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    var output = input
    for (place, convolution) in convolutions.enumerated() {
      output = convolution(output)
      if place < convolutions.count - 1 { output = output.relu() }
    }
    return (output + (shortcut?(input) ?? input)).relu()
  }
}

/// A residual network: ResNet-18, 34, 50, 101, 152 for small images or with ImageNet's beginning.
struct ResNet: Module {
  private let stem: NormalizedConv2d
  private let hasPooling: Bool
  private let blocks: [ResidualBlock]
  private let classifier: ClassifierHead

  init(_ specification: NetworkSpecification, _ design: NetworkDesign, at path: Path) {
    hasPooling = design.stem == .imageNet
    stem = NormalizedConv2d(
      specification.channels, design.stemChannels, kernel: hasPooling ? 7 : 3,
      stride: hasPooling ? 2 : 1,
      padding: hasPooling ? 3 : specification.firstConvolutionPadding, at: path / "conv1",
      norm: path / "bn1")
    var channels = design.stemChannels
    var blocks: [ResidualBlock] = []
    for (stage, (depth, width)) in zip(design.depths, design.widths).enumerated() {
      for place in 0..<depth {
        blocks.append(
          ResidualBlock(
            channels, width, stride: stage > 0 && place == 0 ? 2 : 1, design,
            at: path / "layer\(stage + 1)" / place))
        channels = design.hasBottlenecks ? width * ResidualBlock.expansion : width
      }
    }
    self.blocks = blocks
    classifier = ClassifierHead(
      channels, specification.classCount, design,
      at: path / (design.naming == .torchvision ? "fc" : "linear"))
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    var features = stem(input).relu()
    if hasPooling { features = features.maxPool2d(3, stride: 2, padding: 1) }
    return classifier(blocks.reduce(features) { $1($0) }.mean([2, 3]))
  }
}

extension NetworkDesign {
  /// A ResNet for small images with stages of `depths` blocks and a base width.
  static func resNet(_ depths: [Int], width: Int, bottlenecks: Bool = false) -> NetworkDesign {
    var design = NetworkDesign()
    (design.stemChannels, design.depths) = (width, depths)
    (design.widths, design.hasBottlenecks) = ((0..<4).map { width << $0 }, bottlenecks)
    return design
  }
}

extension Architecture {
  /// ResNet-18 with a choice of base width (64 is the paper's) and first padding.
  public static let resNet18 = resNet(18, [2, 2, 2, 2], "width 64 is the paper's")
  /// ResNet-34 for small images.
  public static let resNet34 = resNet(34, [3, 4, 6, 3], "its usual width is 64")
  /// ResNet-50 for small images: bottlenecks.
  public static let resNet50 = resNet(
    50, [3, 4, 6, 3], "its usual width is 64", bottlenecks: true)

  /// A residual network of any design, as read off a checkpoint.
  public static let resNet = Architecture(
    name: "resnet", summary: "a residual network read off a checkpoint", needsDesign: true,
    problem: \.firstWindowProblem,
    build: { ResNet($0, $0.design ?? NetworkDesign(), at: $1) })

  private static func resNet(
    _ layers: Int, _ depths: [Int], _ width: String, bottlenecks: Bool = false
  ) -> Architecture {
    let design = { @Sendable (width: Int) in
      NetworkDesign.resNet(depths, width: width, bottlenecks: bottlenecks)
    }
    return Architecture(
      name: "resnet\(layers)", summary: "ResNet-\(layers) for small images; \(width)",
      family: "resnet", design: design, problem: \.firstWindowProblem,
      build: { ResNet($0, design($0.width), at: $1) })
  }
}
