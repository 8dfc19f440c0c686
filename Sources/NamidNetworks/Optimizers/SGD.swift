import NamidTorch

/// Stochastic gradient descent with momentum, weight decay and Nesterov's variant, as `torch.optim.SGD`.
public final class SGD: Optimizer {
  private let parameters: OptimizedParameters
  private let momenta: [Tensor]
  private var stepCount = 0
  private let momentum: Double
  private let weightDecay: Double
  private let dampening: Double
  private let nesterov: Bool

  /// An optimizer of all trainable parameters of a store.
  public init(
    _ store: ParameterStore, momentum: Double = 0, weightDecay: Double = 0, dampening: Double = 0,
    nesterov: Bool = false
  ) {
    precondition(!nesterov || (momentum > 0 && dampening == 0), "Nesterov needs momentum alone")
    let parameters = OptimizedParameters(store)
    self.parameters = parameters
    momenta = momentum == 0 ? [] : withoutGrad { parameters.tensors.map { $0.zerosLike() } }
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.dampening = dampening
    self.nesterov = nesterov
  }

  /// One update of all parameters in one call.
  public func step(_ learningRate: LearningRate) {
    withoutGrad {
      let (positions, gradients) = parameters.gradients()
      if positions.isEmpty { return }
      TensorList.fusedSGD_(
        positions.map { parameters.tensors[$0] }, gradients: gradients,
        momenta: momenta.isEmpty ? [] : positions.map { momenta[$0] }, weightDecay: weightDecay,
        momentum: momentum, learningRate: learningRate, dampening: dampening, nesterov: nesterov,
        isFirstStep: stepCount == 0)
      stepCount += 1
    }
  }

  /// The momentum buffers and the number of steps.
  public var state: [(name: String, tensor: Tensor)] {
    [("step", Tensor([stepCount], shape: []))] + parameters.named("momentum_buffer", momenta)
  }

  /// Takes over momentum buffers and the number of steps.
  public func load(state: [String: Tensor]) throws(StateDictionaryError) {
    let present = self.state
    try restore(present, from: state)
    stepCount = Int(present[0].tensor.item())
  }
}
