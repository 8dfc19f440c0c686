import NamidTorch

/// Layer normalisation over the last dimension.
public struct LayerNorm: Module {
  private let weight: Tensor
  private let bias: Tensor
  private let size: Int
  private let epsilon: Double

  /// Registers weight and bias.
  public init(_ size: Int, epsilon: Double = 1e-5, at path: Path) {
    weight = path.parameter("weight", [size], .constant(1))
    bias = path.parameter("bias", [size], .constant(0))
    self.size = size
    self.epsilon = epsilon
  }

  /// The normalised input.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    input.layerNorm([size], weight: weight, bias: bias, epsilon: epsilon)
  }
}
