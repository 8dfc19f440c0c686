import NamidTorch

/// Batch normalisation of (N, C, H, W) over N, H and W, with PyTorch's conventions.
///
/// Running variance is the unbiased one; `momentum` is the weight of the new value.
public struct BatchNorm2d: Module {
  private let weight: Tensor
  private let bias: Tensor
  private let runningMean: Tensor
  private let runningVar: Tensor
  private let batchCount: Tensor
  private let store: ParameterStore
  private let momentum: Double
  private let epsilon: Double

  /// Registers weight, bias, running statistics and the count of batches.
  public init(
    _ channels: Int, momentum: Double = 0.1, epsilon: Double = 1e-5, at path: Path
  ) {
    weight = path.parameter("weight", [channels], .constant(1))
    bias = path.parameter("bias", [channels], .constant(0))
    runningMean = path.buffer("running_mean", [channels], .constant(0))
    runningVar = path.buffer("running_var", [channels], .constant(1))
    batchCount = path.buffer("num_batches_tracked", [], .counter)
    store = path.store
    self.momentum = momentum
    self.epsilon = epsilon
  }

  /// The normalised input; in training the running statistics move unless the store says otherwise.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    let momentum = store.statisticsMomentum ?? momentum
    if store.isTraining && momentum > 0 { batchCount.add_(1) }
    return input.batchNorm(
      weight: weight, bias: bias, runningMean: runningMean, runningVar: runningVar,
      training: store.isTraining, momentum: momentum, epsilon: epsilon)
  }

  /// The scale γ/√(σ² + ε) and shift β − μ·scale that this layer applies in evaluation mode, both (C).
  func affineForm() -> (scale: Tensor, shift: Tensor) {
    let scale = weight / (runningVar + epsilon).sqrt()
    return (scale, bias - runningMean * scale)
  }
}
