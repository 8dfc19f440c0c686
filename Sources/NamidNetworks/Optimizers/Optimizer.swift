import NamidTorch

/// Changes parameters along their gradients.
public protocol Optimizer: AnyObject {
  /// One update with the gradients that `backward()` left; parameters without one stay as they are.
  func step(_ learningRate: LearningRate)
  /// The tensors that a resumed run needs, by name; the names are the same from the first step on.
  var state: [(name: String, tensor: Tensor)] { get }
  /// Takes over a saved state.
  func load(state: [String: Tensor]) throws(StateDictionaryError)
}

extension Optimizer {
  /// One update with a step of a given length.
  public func step(learningRate: Double) { step(.value(learningRate)) }
}

extension ParameterStore {
  /// Shortens the gradient of all parameters together to a length where it is longer, without asking the device.
  ///
  /// - Returns: The length that it had.
  public func clipGradient(to length: Double) -> Tensor {
    withoutGrad {
      let gradients = parameters.compactMap(\.grad)
      let norm =
        gradients.isEmpty
        ? .scalar(0, device: device) : Tensor.stack(gradients.map { $0.norm() }).norm()
      let factor = (length / (norm + 1e-6)).clamp(max: 1)
      for gradient in gradients { gradient.mul_(factor) }
      return norm
    }
  }
}

/// Parameters with their names and gradients, as fused operators want them.
struct OptimizedParameters {
  let names: [String]
  let tensors: [Tensor]

  init(_ store: ParameterStore) {
    let trainable = store.entries.filter(\.isTrainable)
    names = trainable.map(\.name)
    tensors = trainable.map(\.tensor)
  }

  /// The positions that have a gradient, and the gradients laid out in memory as their parameters are.
  ///
  /// Fused kernels walk raw memory, so a gradient with other strides would be added to the wrong weights.
  func gradients() -> (positions: [Int], gradients: [Tensor]) {
    var positions: [Int] = []
    var gradients: [Tensor] = []
    for (i, parameter) in tensors.enumerated() {
      guard let gradient = parameter.grad else { continue }
      positions.append(i)
      gradients.append(
        gradient.isLaidOut(as: parameter) ? gradient : parameter.zerosLike().copy_(gradient))
    }
    return (positions, gradients)
  }

  func named(_ prefix: String, _ tensors: [Tensor]) -> [(name: String, tensor: Tensor)] {
    zip(names, tensors).map { ("\(prefix).\($0)", $1) }
  }
}

extension Tensor {
  /// True where the elements lie in memory as those of a tensor of the same shape; a step along a dimension of size 1,
  /// which 1×1 kernels have, is never made.
  fileprivate func isLaidOut(as other: Tensor) -> Bool {
    let (own, others) = (strides, other.strides)
    return own == others
      || zip(shape, zip(own, others)).allSatisfy { $0 == 1 || $1.0 == $1.1 }
  }
}
