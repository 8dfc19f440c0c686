import NamidTorch

/// A wide residual network for small images (Zagoruyko and Komodakis, BMVC 2016).
///
/// Names and initial weights are those of the code of TRADES (Zhang et al., ICML 2019), which most work on
/// robustness uses. That code also registers a copy of the first stage, `sub_block1`, which it never uses;
/// it is left out here. The first convolution has 16 channels whatever the width.
struct WideResNet: Module {
  private static let stemChannels = 16
  private let stem: Conv2d
  private let blocks: [PreActivationBlock]
  private let norm: BatchNorm2d
  private let linear: Linear

  /// Registers a network of `depth` = 6·n + 4 layers: three stages of n blocks.
  init(_ specification: NetworkSpecification, depth: Int, at path: Path) {
    let weights = Initializer.kaimingNormal(fanOut:)
    var channels = Self.stemChannels
    stem = Conv2d(
      specification.channels, channels, kernel: 3, padding: specification.firstConvolutionPadding,
      bias: false, initial: weights(9 * channels), at: path / "conv1")
    var blocks: [PreActivationBlock] = []
    for stage in 0..<3 {
      for block in 0..<(depth - 4) / 6 {
        let output = specification.width << stage
        let place = path / "block\(stage + 1)" / "layer" / block
        blocks.append(
          PreActivationBlock(
            channels, output, stride: stage > 0 && block == 0 ? 2 : 1, at: place,
            shortcut: place / "convShortcut", weights: weights))
        channels = output
      }
    }
    self.blocks = blocks
    norm = BatchNorm2d(channels, at: path / "bn1")
    linear = Linear(
      channels, specification.classCount, initialBias: .constant(0), at: path / "fc")
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    let features = norm(blocks.reduce(stem(input)) { $1($0) }).relu()
    return linear(features.mean([2, 3]))
  }
}

extension Architecture {
  /// WideResNet-34-10: width 160 is widening factor 10, width 16·k makes WideResNet-34-k.
  public static let wideResNet34 = wideResNet(depth: 34)
  /// WideResNet-28-10: width 160 is widening factor 10, width 16·k makes WideResNet-28-k.
  public static let wideResNet28 = wideResNet(depth: 28)

  private static func wideResNet(depth: Int) -> Architecture {
    Architecture(
      name: "wideresnet-\(depth)-10",
      summary: "WideResNet-\(depth); width 160 is widening factor 10, 16 is 1",
      defaultWidth: 160, problem: \.firstWindowProblem,
      build: { WideResNet($0, depth: depth, at: $1) })
  }
}
