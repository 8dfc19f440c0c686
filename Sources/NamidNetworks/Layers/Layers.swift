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

/// The positive part, as a module.
public struct ReLU: Module {
  /// A rectifier.
  public init() {}

  /// max(x, 0).
  public func callAsFunction(_ input: Tensor) -> Tensor { input.relu() }
}

/// (N, …) made (N, features), as a module.
public struct Flatten: Module {
  /// A flattening of all but the first dimension.
  public init() {}

  /// (N, features).
  public func callAsFunction(_ input: Tensor) -> Tensor { input.flatten(1) }
}
