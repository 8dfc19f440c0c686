import NamidTorch

/// Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), as `torch.optim`.
public final class Adam: Optimizer {
  private let parameters: OptimizedParameters
  private let means: [Tensor]
  private let squares: [Tensor]
  private let steps: [Tensor]
  private let beta1: Double
  private let beta2: Double
  private let weightDecay: Double
  private let epsilon: Double
  private let decoupled: Bool

  /// An optimizer of all trainable parameters of a store.
  ///
  /// - Parameters:
  ///   - store: Holds the parameters.
  ///   - beta1: The decay of the gradients' mean.
  ///   - beta2: The decay of the gradients' squares.
  ///   - epsilon: Added to the root of the squares.
  ///   - weightDecay: Strength of L2 regularisation, or of decoupled decay.
  ///   - decoupled: True to decay weights apart from the gradient (AdamW).
  public init(
    _ store: ParameterStore, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    weightDecay: Double = 0, decoupled: Bool = false
  ) {
    let parameters = OptimizedParameters(store)
    self.parameters = parameters
    means = withoutGrad { parameters.tensors.map { $0.zerosLike() } }
    squares = withoutGrad { parameters.tensors.map { $0.zerosLike() } }
    // CUDA's kernel reads a counter from the device's memory without a look at where it is.
    steps = parameters.tensors.map { .zeros([], device: $0.device) }
    self.beta1 = beta1
    self.beta2 = beta2
    self.weightDecay = weightDecay
    self.epsilon = epsilon
    self.decoupled = decoupled
  }

  /// One update of all parameters in one call.
  public func step(_ learningRate: LearningRate) {
    withoutGrad {
      let (positions, gradients) = parameters.gradients()
      if positions.isEmpty { return }
      let pick = { (list: [Tensor]) in positions.map { list[$0] } }
      let steps = pick(steps)
      TensorList.add_(steps, 1)
      TensorList.fusedAdam_(
        pick(parameters.tensors), gradients: gradients, means: pick(means),
        squares: pick(squares), steps: steps, learningRate: learningRate, beta1: beta1,
        beta2: beta2, weightDecay: weightDecay, epsilon: epsilon, decoupled: decoupled)
    }
  }

  /// The running moments and step counts.
  public var state: [(name: String, tensor: Tensor)] {
    parameters.named("step", steps) + parameters.named("exp_avg", means)
      + parameters.named("exp_avg_sq", squares)
  }

  /// Takes over running moments and step counts.
  public func load(state: [String: Tensor]) throws(StateDictionaryError) {
    try restore(self.state, from: state)
  }
}
