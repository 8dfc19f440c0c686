import NamidTorch

/// ResNet-18 with pre-activation blocks, for small images (He et al., ECCV 2016).
///
/// This is the variant of the work on robust overfitting (Rice et al., ICML 2020) and of adversarial weight
/// perturbation (Wu et al., NeurIPS 2020): a last batch norm, `bn`, and a rectifier stand before the pooling.
/// The variant without them has the same names but for `bn`.
struct PreActResNet18: Module {
  private let stem: Conv2d
  private let blocks: [PreActivationBlock]
  private let norm: BatchNorm2d
  private let linear: Linear

  init(_ specification: NetworkSpecification, at path: Path) {
    let width = specification.width
    stem = Conv2d(
      specification.channels, width, kernel: 3, padding: specification.firstConvolutionPadding,
      bias: false, at: path / "conv1")
    var blocks: [PreActivationBlock] = []
    var channels = width
    for stage in 0..<4 {
      for block in 0..<2 {
        let (output, place) = (width << stage, path / "layer\(stage + 1)" / block)
        blocks.append(
          PreActivationBlock(
            channels, output, stride: stage > 0 && block == 0 ? 2 : 1, at: place,
            shortcut: place / "shortcut" / 0))
        channels = output
      }
    }
    self.blocks = blocks
    norm = BatchNorm2d(channels, at: path / "bn")
    linear = Linear(channels, specification.classCount, at: path / "linear")
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    let features = norm(blocks.reduce(stem(input)) { $1($0) }).relu()
    return linear(features.mean([2, 3]))
  }
}

extension Architecture {
  /// PreActResNet-18 with a choice of base width; 64 is its paper's.
  public static let preActResNet18 = Architecture(
    name: "preactresnet18", summary: "PreActResNet-18 for small images; its usual width is 64",
    problem: \.firstWindowProblem, build: { PreActResNet18($0, at: $1) })
}
