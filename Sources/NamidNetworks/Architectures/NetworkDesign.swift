import NamidTorch

/// The details in which published residual networks and VGGs differ, as they are read off a checkpoint.
///
/// An architecture such as `resnet18` fixes them all; `resnet`, `preactresnet` and `vgg` take them from here.
public struct NetworkDesign: Codable, Hashable, Sendable {
  /// The names of the tensors in a `state_dict`.
  public enum Naming: String, Codable, CaseIterable, Sendable {
    /// `conv1`, `layer1.0.conv1`, `shortcut.0`, `linear`: most code for CIFAR.
    case cifar
    /// `layer1.0.downsample.0`, `fc`: torchvision.
    case torchvision
    /// `conv1`, `block1.layer.0.conv1`, `convShortcut`, `fc`: wide residual networks as in the code of TRADES.
    case wideResNet
    /// `stem_conv`, `blocks.0.layer.0.conv1`, `convShortcut`, `bn1`, `fc` (Huang et al., NeurIPS 2021).
    case stages
    /// `stem_conv`, `blocks.0.layer.0.conv1`, `shortcut.0`, `norm1`, `fc` (Huang et al., 2022).
    case stagesWithNorm
    /// `init_conv`, `layer.0.block.0.conv_0`, `batchnorm`, `logits`: wide residual networks of DeepMind.
    case deepMind
    /// `conv_2d`, `layer_0.0.conv_2d_1`, `batchnorm`, `logits`: DeepMind's PreActResNet.
    case deepMindPreActivation
    /// `features.0`, `classifier`: VGG.
    case features
  }

  /// The function between layers.
  public enum Activation: String, Codable, CaseIterable, Sendable {
    /// max(x, 0).
    case relu
    /// x·σ(x), also called Swish.
    case silu
    /// x·(σ(|α|x) − |β|)/(1 − |β|) with learnt α and β (Dai et al., 2021).
    case parametricShiftedSiLU
  }

  /// The beginning of a network.
  public enum Stem: String, Codable, CaseIterable, Sendable {
    /// A 3×3 convolution of stride 1.
    case small
    /// A 7×7 convolution of stride 2 and a 3×3 pooling of stride 2.
    case imageNet
  }

  /// The input of a pre-activation block's shortcut convolution.
  public enum Shortcut: String, Codable, CaseIterable, Sendable {
    /// The block's input as it is.
    case raw
    /// The block's input after its first normalisation and activation.
    case activated
  }

  /// The last layer.
  public enum Head: String, Codable, CaseIterable, Sendable {
    /// An affine map of the features.
    case linear
    /// The cosines between the features and the rows of the weight (Pang et al., NeurIPS 2020).
    case cosine
  }

  /// The names of the tensors.
  public var naming = Naming.cifar
  /// Channels of the first convolution.
  public var stemChannels = 64
  /// The beginning of the network.
  public var stem = Stem.small
  /// Blocks of each stage; convolutions for a VGG.
  public var depths = [2, 2, 2, 2]
  /// Output channels of each stage; those of the 3×3 convolution where blocks are bottlenecks.
  public var widths = [64, 128, 256, 512]
  /// True for blocks of a 1×1, a 3×3 and a 1×1 convolution with four times as many channels at their ends.
  public var hasBottlenecks = false
  /// The function between layers.
  public var activation = Activation.relu
  /// The input of shortcut convolutions in pre-activation blocks.
  public var shortcut = Shortcut.activated
  /// The window of shortcut convolutions in pre-activation blocks: 1 or 3.
  public var shortcutKernel = 1
  /// True where 3×3 convolutions of stride 2 get their zeros on the right and at the bottom alone, as in TensorFlow.
  public var padsAfterImage = false
  /// True where normalisation and activation stand before the pooling of a pre-activation network.
  public var hasFinalNorm = true
  /// True for a VGG with batch normalisation.
  public var hasBatchNorm = true
  /// True where a bias is added to the logits.
  public var hasClassifierBias = true
  /// The last layer.
  public var head = Head.linear
  /// True where blocks weigh their channels (squeeze and excitation, Hu et al., CVPR 2018).
  public var hasSqueezeExcitation = false
  /// True where activations near their mean become the mean (MeanSparse, Amini et al., 2024).
  public var hasMeanSparsity = false
  /// The side of the maps that a VGG's classifier reads; 1 for a classifier of one linear layer on 32 pixels.
  public var pooledSide = 1
  /// The sizes of a VGG's hidden linear layers; none for CIFAR's kind.
  public var hiddenUnits: [Int] = []

  /// The design of ResNet-18 and PreActResNet-18 of width 64 for CIFAR, to be changed.
  public init() {}

  /// The reason why no network can have it, or nil; it may come from a damaged file.
  var problem: String? {
    let largest = 65_536
    guard depths.count == widths.count, (1...8).contains(depths.count) else {
      return "it has \(depths.count) depths for \(widths.count) widths"
    }
    let numbers = depths + widths + hiddenUnits + [stemChannels, shortcutKernel, pooledSide]
    if let wrong = numbers.first(where: { !(1...largest).contains($0) }) {
      return "its design has the number \(wrong); it must be from 1 to \(largest)"
    }
    return depths.reduce(0, +) > 4096 ? "its design has \(depths.reduce(0, +)) blocks" : nil
  }
}

/// The function between a network's layers.
struct ActivationLayer: Module {
  private let function: (Tensor) -> Tensor

  /// Registers what the function learns, if it learns anything, under `path`.
  init(_ kind: NetworkDesign.Activation, at path: Path) {
    switch kind {
    case .relu: function = { $0.relu() }
    case .silu: function = { $0.silu() }
    case .parametricShiftedSiLU:
      let alpha = path.parameter("alpha", [1], .constant(1))
      let beta = path.parameter("beta", [1], .constant(0))
      function = { input in
        let floor = beta.abs()
        return input * ((input * alpha.abs()).sigmoid() - floor) / (1 - floor)
      }
    }
  }

  func callAsFunction(_ input: Tensor) -> Tensor { function(input) }
}
