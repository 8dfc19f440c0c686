import NamidTorch

/// A rule for the first values of a parameter.
public enum Initializer: Sendable {
  /// One value everywhere.
  case constant(Double)
  /// Zero as a 64-bit integer (a counter).
  case counter
  /// Zero in any element type.
  case zeros(DType)
  /// Uniform in [-bound, bound).
  case uniform(bound: Double)
  /// Normal with mean 0.
  case normal(deviation: Double)
  /// Uniform in [-noise, noise), with ones at [i, i] for i < min(rows, columns): the shortcut of the MI encoders.
  case noisyIdentity(noise: Double)
  /// These numbers, in row-major order; as many as the shape has.
  case values([Float])

  /// PyTorch's default for weights and biases: uniform within 1/√fan-in (Kaiming uniform with a = √5).
  public static func pyTorchDefault(fanIn: Int) -> Initializer {
    .uniform(bound: 1 / Double(fanIn).squareRoot())
  }

  /// Kaiming normal over the fan-out k²·out: deviation √(2/fan-out) (He et al., ICCV 2015).
  public static func kaimingNormal(fanOut: Int) -> Initializer {
    .normal(deviation: (2 / Double(fanOut)).squareRoot())
  }

  func tensor(shape: [Int], stream: RandomStream) -> Tensor {
    switch self {
    case .constant(let value):
      return .full(shape, value)
    case .counter:
      return .zeros(shape, dtype: .int64)
    case .zeros(let dtype):
      return .zeros(shape, dtype: dtype)
    case .uniform(let bound):
      return Tensor.uniform([stream], shape: shape, low: -bound, high: bound).squeeze(0)
    case .normal(let deviation):
      return Tensor.normal([stream], shape: shape).squeeze(0) * deviation
    case .noisyIdentity(let noise):
      var values = Tensor.uniform([stream], shape: shape, low: -noise, high: noise).floats()
      let stride = shape.dropFirst().reduce(1, *)
      let step = shape.dropFirst(2).reduce(1, *)
      for i in 0..<min(shape[0], shape[1]) { values[i * stride + i * step] = 1 }
      return Tensor(values, shape: shape)
    case .values(let values):
      return Tensor(values, shape: shape)
    }
  }
}
