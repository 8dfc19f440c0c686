/// Whole lists of tensors at once: one call for an optimizer step or a weight average.
public enum TensorList {
  /// Multiplies every tensor by a number, in place.
  public static func mul_(_ tensors: [Tensor], _ factor: Double) {
    invoke(.foreachMul, tensors, factor)
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
  /// - Parameter momenta: one buffer per tensor, or empty where momentum is 0.
  /// - Precondition: a gradient has the strides of its parameter.
  public static func fusedSGD_(
    _ parameters: [Tensor], gradients: [Tensor], momenta: [Tensor], weightDecay: Double,
    momentum: Double, learningRate: Double, dampening: Double, nesterov: Bool, isFirstStep: Bool
  ) {
    invoke(
      .fusedSgd, parameters, gradients, momenta, weightDecay, momentum, learningRate, dampening,
      nesterov, false, isFirstStep)
  }

  /// One step of Adam (or AdamW when `decoupled`) on all tensors, in place.
  ///
  /// - Parameter steps: one float32 tensor of rank 0 per parameter, already counted up for this step.
  /// - Precondition: a gradient has the strides of its parameter.
  public static func fusedAdam_(
    _ parameters: [Tensor], gradients: [Tensor], means: [Tensor], squares: [Tensor],
    steps: [Tensor], learningRate: Double, beta1: Double, beta2: Double, weightDecay: Double,
    epsilon: Double, decoupled: Bool
  ) {
    invoke(
      decoupled ? .fusedAdamw : .fusedAdam, parameters, gradients, means, squares, [Tensor](),
      steps, learningRate, beta1, beta2, weightDecay, epsilon, false, false)
  }
}
