import Torch

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
    input.conv2d(weight, bias: bias, stride: stride, padding: padding)
  }
}
