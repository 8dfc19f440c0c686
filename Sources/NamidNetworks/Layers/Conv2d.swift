import NamidTorch

/// 2-D convolution with a square kernel.
public struct Conv2d: Module {
  /// (out, in, kernel, kernel).
  public let weight: Tensor
  /// (out), or none.
  public let bias: Tensor?
  /// The step between windows.
  public let stride: Int
  /// Zeros added on each side.
  public let padding: Int

  /// Registers `weight` and, if wanted, `bias`, with PyTorch's default initialisation.
  public init(
    _ input: Int, _ output: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
    bias: Bool = true, initial: Initializer? = nil, at path: Path
  ) {
    let standard = Initializer.pyTorchDefault(fanIn: input * kernel * kernel)
    weight = path.parameter("weight", [output, input, kernel, kernel], initial ?? standard)
    self.bias = bias ? path.parameter("bias", [output], standard) : nil
    self.stride = stride
    self.padding = padding
  }

  /// (N, in, H, W) → (N, out, H', W').
  public func callAsFunction(_ input: Tensor) -> Tensor {
    guard skipsPixels && input.size(1) < 16 else {
      return input.conv2d(weight, bias: bias, stride: stride, padding: padding)
    }
    // oneDNN's gradient of such a weight writes past its buffer when a channels-last input has fewer than 16 channels
    // (its issue 6035: wrong numbers or a crash), so the pixels are picked first.
    let (height, width) = (input.size(2), input.size(3))
    let picked = input.slice(0..<height, dim: 2, step: stride).slice(
      0..<width, dim: 3, step: stride)
    return picked.conv2d(weight, bias: bias)
  }

  private var skipsPixels: Bool { weight.size(2) == 1 && stride > 1 && padding == 0 }
}
