import NamidTorch

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
