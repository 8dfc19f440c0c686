import NamidTorch

/// Two 3×3 convolutions, each after batch norm and a rectifier, with a shortcut (He et al., ECCV 2016).
///
/// The shortcut is a 1×1 convolution of the first rectifier's output where stride or channels change, elsewhere the
/// block's input as it is. While the store is frozen the first convolution takes up the normalisation behind
/// it; the one before it cannot be folded, for the shortcut reads what comes in front of it.
struct PreActivationBlock: Module {
  private let norm: BatchNorm2d
  private let first: NormalizedConv2d
  private let second: Conv2d
  private let shortcut: Conv2d?

  /// Registers `bn1`, `conv1`, `bn2`, `conv2` under `path` and, where it is needed, the shortcut.
  ///
  /// `weights` gives the initial values of a weight with a fan-out k²·out; nil is PyTorch's default.
  init(
    _ input: Int, _ output: Int, stride: Int, at path: Path, shortcut shortcutPath: Path,
    weights: (Int) -> Initializer? = { _ in nil }
  ) {
    norm = BatchNorm2d(input, at: path / "bn1")
    first = NormalizedConv2d(
      input, output, kernel: 3, stride: stride, padding: 1, initial: weights(9 * output),
      at: path / "conv1", norm: path / "bn2")
    second = Conv2d(
      output, output, kernel: 3, padding: 1, bias: false, initial: weights(9 * output),
      at: path / "conv2")
    shortcut =
      stride == 1 && input == output
      ? nil
      : Conv2d(
        input, output, kernel: 1, stride: stride, bias: false, initial: weights(output),
        at: shortcutPath)
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    let active = norm(input).relu()
    return second(first(active).relu()) + (shortcut?(active) ?? input)
  }
}
