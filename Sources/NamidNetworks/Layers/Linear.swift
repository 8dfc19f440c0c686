import NamidTorch

/// An affine map of the last dimension.
public struct Linear: Module {
  /// (out, in).
  public let weight: Tensor
  /// (out), or none.
  public let bias: Tensor?

  /// Registers `weight` and, if wanted, `bias`, with PyTorch's default initialisation unless told otherwise.
  public init(
    _ input: Int, _ output: Int, bias: Bool = true, initialBias: Initializer? = nil, at path: Path
  ) {
    let initial = Initializer.pyTorchDefault(fanIn: input)
    weight = path.parameter("weight", [output, input], initial)
    self.bias = bias ? path.parameter("bias", [output], initialBias ?? initial) : nil
  }

  /// (…, in) → (…, out).
  public func callAsFunction(_ input: Tensor) -> Tensor {
    input.linear(weight, bias: bias)
  }
}
