import NamidTorch

/// Two 3×3 convolutions, each after batch norm and an activation, with a shortcut (He et al., ECCV 2016).
///
/// The shortcut is a convolution where stride or channels change, elsewhere the block's input as it is. While the
/// store is frozen the first convolution takes up the normalisation behind it; the one before it cannot be folded, for
/// the shortcut reads what comes in front of it.
struct PreActivationBlock: Module {
  private let norm: BatchNorm2d
  private let first: NormalizedConv2d
  private let second: Conv2d
  private let shortcut: Conv2d?
  private let readsInput: Bool
  private let padding: [Int]
  private let activation: ActivationLayer
  private let excitation: SqueezeExcitation?
  private let sparsity: [MeanSparsity]

  /// Registers a block under `path`.
  ///
  /// `weights` gives the initial values of a weight with a fan-out k²·out; nil is PyTorch's default.
  init(
    _ input: Int, _ output: Int, stride: Int, _ design: NetworkDesign, activation: ActivationLayer,
    at path: Path, weights: (Int) -> Initializer?
  ) {
    let names = PreActivationNames(design.naming)
    self.activation = activation
    readsInput = design.shortcut == .raw
    // Zeros on the left, on the right, at the top and at the bottom, where they are not the same on all sides.
    padding = design.padsAfterImage && stride == 2 ? [0, 1, 0, 1] : []
    norm = BatchNorm2d(input, at: path / names.norms[0])
    first = NormalizedConv2d(
      input, output, kernel: 3, stride: stride, padding: padding.isEmpty ? 1 : 0,
      initial: weights(9 * output), at: path / names.convolutions[0], norm: path / names.norms[1])
    second = Conv2d(
      output, output, kernel: 3, padding: 1, bias: false, initial: weights(9 * output),
      at: path / names.convolutions[1])
    let kernel = design.shortcutKernel
    shortcut =
      stride == 1 && input == output
      ? nil
      : Conv2d(
        input, output, kernel: kernel, stride: stride,
        padding: kernel == 1 || !padding.isEmpty ? 0 : 1, bias: false, initial: weights(output),
        at: names.shortcut.reduce(path) { $0 / $1 })
    excitation =
      design.hasSqueezeExcitation ? SqueezeExcitation(output, at: path / "se") : nil
    sparsity =
      design.hasMeanSparsity
      ? zip([input, output, output], 0...).map { MeanSparsity($0, at: path / "meansparse_\($1)") }
      : []
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    let active = activation(sparse(norm(input), 0))
    var output = second(activation(sparse(first(padded(active)), 1)))
    if let excitation { output = excitation(output) }
    let source = readsInput ? input : active
    let bypass =
      shortcut.map { $0(($0.weight.size(2) == 1 ? source : padded(source))) } ?? input
    return sparse(output + bypass, 2)
  }

  private func padded(_ input: Tensor) -> Tensor { padding.isEmpty ? input : input.pad(padding) }

  private func sparse(_ input: Tensor, _ place: Int) -> Tensor {
    sparsity.isEmpty ? input : sparsity[place](input)
  }
}

/// The names of a pre-activation network's tensors.
struct PreActivationNames: Sendable {
  let stem: String
  /// The path of a block by stage and place in the stage, both from 0.
  let block: @Sendable (_ stage: Int, _ place: Int) -> [String]
  var norms = ["bn1", "bn2"]
  var convolutions = ["conv1", "conv2"]
  var shortcut: [String]
  let norm: String
  let classifier: String

  init(_ naming: NetworkDesign.Naming) {
    switch naming {
    case .cifar, .torchvision, .features:
      (stem, shortcut, norm, classifier) = ("conv1", ["shortcut", "0"], "bn", "linear")
      block = { ["layer\($0 + 1)", "\($1)"] }
    case .wideResNet:
      (stem, shortcut, norm, classifier) = ("conv1", ["convShortcut"], "bn1", "fc")
      block = { ["block\($0 + 1)", "layer", "\($1)"] }
    case .stages:
      (stem, shortcut, norm, classifier) = ("stem_conv", ["convShortcut"], "bn1", "fc")
      block = { ["blocks", "\($0)", "layer", "\($1)"] }
    case .stagesWithNorm:
      (stem, shortcut, norm, classifier) = ("stem_conv", ["shortcut", "0"], "norm1", "fc")
      block = { ["blocks", "\($0)", "layer", "\($1)"] }
    case .deepMind:
      (stem, shortcut, norm, classifier) = ("init_conv", ["shortcut"], "batchnorm", "logits")
      block = { ["layer", "\($0)", "block", "\($1)"] }
      (norms, convolutions) = (["batchnorm_0", "batchnorm_1"], ["conv_0", "conv_1"])
    case .deepMindPreActivation:
      (stem, shortcut, norm, classifier) = ("conv_2d", ["shortcut"], "batchnorm", "logits")
      block = { ["layer_\($0)", "\($1)"] }
      (norms, convolutions) = (["batchnorm_0", "batchnorm_1"], ["conv_2d_1", "conv_2d_2"])
    }
  }
}

/// Channels weighed by a small network that reads their means (Hu et al., CVPR 2018); a quarter of them in between.
struct SqueezeExcitation: Module {
  private let first: Conv2d
  private let second: Conv2d

  init(_ channels: Int, at path: Path) {
    let hidden = max(1, Int((0.25 * Double(channels)).rounded()))
    first = Conv2d(channels, hidden, kernel: 1, at: path / "fc1")
    second = Conv2d(hidden, channels, kernel: 1, at: path / "fc2")
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    input * second(first(input.mean([2, 3], keepdim: true)).relu()).sigmoid()
  }
}

/// Values closer to their channel's mean than a number of deviations are the mean (MeanSparse, Amini et al., 2024).
struct MeanSparsity: Module {
  private let mean: Tensor
  private let variance: Tensor
  private let threshold: Tensor

  init(_ channels: Int, at path: Path) {
    mean = path.buffer("running_mean", [channels], .constant(0))
    variance = path.buffer("running_var", [channels], .constant(0))
    threshold = path.buffer("threshold", [], .constant(0))
    // Kept so that a file has all of its names; they count while statistics are gathered.
    _ = path.buffer("batch_num", [], .constant(0))
    _ = path.buffer("flag_update_statistics", [], .counter)
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    let center = mean.view([1, -1, 1, 1])
    let width = (threshold * variance.sqrt()).view([1, -1, 1, 1])
    return center.where((input - center).abs() .< width, else: input)
  }
}
