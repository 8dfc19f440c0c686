/// The length of an optimizer's step.
public enum LearningRate {
  /// A number.
  case value(Double)
  /// A float32 tensor of rank 0 beside the parameters, which recorded work reads anew each time.
  case tensor(Tensor)
}

/// Whole lists of tensors at once: one call for an optimizer step or a weight average.
public enum TensorList {
  /// Multiplies every tensor by a number, in place.
  public static func mul_(_ tensors: [Tensor], _ factor: Double) {
    invoke(.foreachMul, tensors, factor)
  }

  /// Adds `alpha` times its partner to every tensor, in place.
  public static func add_(_ tensors: [Tensor], _ others: [Tensor], alpha: Double = 1) {
    invoke(.foreachAdd, tensors, others, alpha)
  }

  /// Adds a number to every tensor, in place.
  public static func add_(_ tensors: [Tensor], _ number: Double) {
    invoke(.foreachAddScalar, tensors, number)
  }

  /// Moves every tensor towards its partner by the fraction `weight`, in place.
  public static func lerp_(_ tensors: [Tensor], towards ends: [Tensor], weight: Double) {
    invoke(.foreachLerp, tensors, ends, weight)
  }

  /// Takes over the values of the partners, in place.
  public static func copy_(_ tensors: [Tensor], from sources: [Tensor]) {
    invoke(.foreachCopy, tensors, sources)
  }

  /// One step of stochastic gradient descent on all tensors, in place.
  ///
  /// - Parameters:
  ///   - parameters: The tensors to change.
  ///   - gradients: One per parameter, with its strides.
  ///   - momenta: One buffer per tensor, or empty where momentum is 0.
  ///   - weightDecay: Strength of L2 regularisation.
  ///   - momentum: The decay of the buffers.
  ///   - learningRate: The step's length.
  ///   - dampening: The share of a new gradient that is left out of its buffer.
  ///   - nesterov: True to step along the gradient plus the decayed buffer (Nesterov's momentum).
  ///   - isFirstStep: True to start each buffer as a copy of the gradient.
  public static func fusedSGD_(
    _ parameters: [Tensor], gradients: [Tensor], momenta: [Tensor], weightDecay: Double,
    momentum: Double, learningRate: LearningRate, dampening: Double, nesterov: Bool,
    isFirstStep: Bool
  ) {
    switch learningRate {
    case .value(let rate):
      invoke(
        .fusedSgd, parameters, gradients, momenta, weightDecay, momentum, rate, dampening,
        nesterov, false, isFirstStep)
    case .tensor(let rate):
      invoke(
        .fusedSgdTensorRate, parameters, gradients, momenta, weightDecay, momentum, rate,
        dampening, nesterov, false, isFirstStep)
    }
  }

  /// One step of Adam (or AdamW when `decoupled`) on all tensors, in place.
  ///
  /// - Parameters:
  ///   - parameters: The tensors to change.
  ///   - gradients: One per parameter, with its strides.
  ///   - means: The gradients' running means.
  ///   - squares: The gradients' running squares.
  ///   - steps: One float32 tensor of rank 0 per parameter, on its device, already counted up for this step.
  ///   - learningRate: The step's length.
  ///   - beta1: The decay of the means.
  ///   - beta2: The decay of the squares.
  ///   - weightDecay: Strength of regularisation.
  ///   - epsilon: Added to the root of the squares.
  ///   - decoupled: True to decay weights apart from the gradient, as AdamW does.
  public static func fusedAdam_(
    _ parameters: [Tensor], gradients: [Tensor], means: [Tensor], squares: [Tensor],
    steps: [Tensor], learningRate: LearningRate, beta1: Double, beta2: Double, weightDecay: Double,
    epsilon: Double, decoupled: Bool
  ) {
    switch learningRate {
    case .value(let rate):
      invoke(
        decoupled ? .fusedAdamw : .fusedAdam, parameters, gradients, means, squares, [Tensor](),
        steps, rate, beta1, beta2, weightDecay, epsilon, false, false)
    case .tensor(let rate):
      invoke(
        decoupled ? .fusedAdamwTensorRate : .fusedAdamTensorRate, parameters, gradients, means,
        squares, [Tensor](), steps, rate, beta1, beta2, weightDecay, epsilon, false, false)
    }
  }
}
