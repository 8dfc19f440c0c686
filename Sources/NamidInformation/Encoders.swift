import NamidNetworks
import NamidTorch

/// A non-linear path and a linear shortcut, added and layer-normalised over channels: the head that both
/// encoders share (Hjelm et al., ICLR 2019; Zhu et al., ICML 2020).
struct EncoderHead {
  private let nonlinear: Sequential
  private let shortcut: Conv2d
  private let norm: LayerNorm

  init(_ input: Int, units: Int, at path: Path) {
    let block = path / "block_nonlinear"
    nonlinear = Sequential([
      Conv2d(input, units, kernel: 1, bias: false, at: block / 0),
      BatchNorm2d(units, at: block / 1),
      ReLU(),
      Conv2d(units, units, kernel: 1, at: block / 3),
    ])
    norm = LayerNorm(units, at: path / "block_ln" / 1)
    shortcut = Conv2d(
      input, units, kernel: 1, bias: false, initial: .noisyIdentity(noise: 0.01),
      at: path / "linear_shortcut")
  }

  /// Maps (N, C, H, W) to features (H·W, N, units), float32.
  func callAsFunction(_ input: Tensor) -> Tensor {
    let sum = nonlinear(input) + shortcut(input)
    return norm(sum.permute([2, 3, 0, 1]).to(.float32)).flatten(0, 1)
  }
}

/// The encoder C_ψ of Equation 12: local features of an image, one vector per cell of a grid with stride 4.
public struct LocalEncoder {
  private let layers: Sequential
  private let head: EncoderHead

  /// Registers two strided convolutions and the head.
  ///
  /// - Parameters:
  ///   - channels: Channels of the images.
  ///   - units: Length of the feature vectors; 2048 in the paper.
  ///   - path: The path under which the parameters are registered.
  public init(channels: Int, units: Int = 2048, at path: Path) {
    layers = Sequential([
      Conv2d(
        channels, 64, kernel: 4, stride: 2, padding: 1, bias: false, at: path / "layer0" / 0),
      BatchNorm2d(64, at: path / "layer0" / 1),
      ReLU(),
      Conv2d(64, 128, kernel: 4, stride: 2, padding: 1, bias: false, at: path / "layer1" / 0),
      BatchNorm2d(128, at: path / "layer1" / 1),
      ReLU(),
    ])
    head = EncoderHead(128, units: units, at: path)
  }

  /// Maps images or noise (N, C, H, W) to features (positions, N, units), float32.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    head(layers(images.contiguous(.channelsLast)))
  }
}

/// The encoder of a network's output: one vector per sample.
public struct GlobalEncoder {
  private let head: EncoderHead

  /// Registers the head for logits of `classCount` classes.
  public init(classCount: Int, units: Int = 2048, at path: Path) {
    head = EncoderHead(classCount, units: units, at: path)
  }

  /// Maps logits (N, classes) to features (N, units), float32.
  public func callAsFunction(_ logits: Tensor) -> Tensor {
    head(logits.unsqueeze(2).unsqueeze(3)).squeeze(0)
  }
}
