import NamidTorch

/// Two 3×3 convolutions with a shortcut around them (He et al., CVPR 2016).
struct BasicBlock: Module {
  private let first: NormalizedConv2d
  private let second: NormalizedConv2d
  private let shortcut: NormalizedConv2d?

  init(_ input: Int, _ output: Int, stride: Int, at path: Path) {
    first = NormalizedConv2d(
      input, output, kernel: 3, stride: stride, padding: 1, at: path / "conv1", norm: path / "bn1")
    second = NormalizedConv2d(
      output, output, kernel: 3, padding: 1, at: path / "conv2", norm: path / "bn2")
    let bypass = path / "shortcut"
    shortcut =
      stride == 1 && input == output
      ? nil
      : NormalizedConv2d(
        input, output, kernel: 1, stride: stride, at: bypass / 0, norm: bypass / 1)
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    let output = second(first(input).relu())
    return (output + (shortcut?(input) ?? input)).relu()
  }
}

/// ResNet-18 for small images: one 3×3 convolution at the start and no pooling after it.
struct ResNet18: Module {
  private let stem: NormalizedConv2d
  private let blocks: [BasicBlock]
  private let linear: Linear

  init(_ specification: NetworkSpecification, at path: Path) {
    let width = specification.width
    stem = NormalizedConv2d(
      specification.channels, width, kernel: 3, padding: specification.firstConvolutionPadding,
      at: path / "conv1", norm: path / "bn1")
    var blocks: [BasicBlock] = []
    var channels = width
    for stage in 0..<4 {
      for block in 0..<2 {
        let output = width << stage
        blocks.append(
          BasicBlock(
            channels, output, stride: stage > 0 && block == 0 ? 2 : 1,
            at: path / "layer\(stage + 1)" / block))
        channels = output
      }
    }
    self.blocks = blocks
    linear = Linear(channels, specification.classCount, at: path / "linear")
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    let features = blocks.reduce(stem(input).relu()) { $1($0) }
    return linear(features.mean([2, 3]))
  }
}

extension Architecture {
  /// ResNet-18 with a choice of base width (64 is the paper's) and first padding.
  public static let resNet18 = Architecture(
    name: "resnet18", summary: "ResNet-18 for small images; width 64 is the paper's",
    problem: \.firstWindowProblem,
    build: { ResNet18($0, at: $1) })
}
