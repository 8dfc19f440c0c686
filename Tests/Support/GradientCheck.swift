import NamidTorch
import Testing

/// Records a failure unless `grad(of:wrt:)` of a scalar function agrees with central differences in float64.
///
/// - Parameters:
///   - inputs: The point of differentiation; converted to float64.
///   - step: The distance by which each element is moved to both sides.
///   - rtol: Allowed difference relative to the gradient.
///   - atol: Allowed absolute difference.
///   - sourceLocation: The place at which the failure is reported.
///   - function: Gives a scalar.
public func expectGradientsMatchDifferences(
  at inputs: [Tensor], step: Double = 1e-5, rtol: Double = 1e-6, atol: Double = 1e-8,
  sourceLocation: SourceLocation = #_sourceLocation, of function: ([Tensor]) -> Tensor
) {
  let leaves = inputs.map { input in
    let leaf = input.detach().to(.float64).clone()
    leaf.requiresGrad = true
    return leaf
  }
  let gradients = grad(of: function(leaves), wrt: leaves)
  for (position, gradient) in gradients.enumerated() {
    let values = leaves[position].doubles
    let differences = values.indices.map { i in
      let ends = [step, -step].map { change in
        var moved = values
        moved[i] += change
        var arguments = leaves.map { $0.detach() }
        arguments[position] = Tensor(moved, shape: leaves[position].shape)
        return withoutGrad { function(arguments).item() }
      }
      return (ends[0] - ends[1]) / (2 * step)
    }
    expectClose(
      gradient, Tensor(differences, shape: gradient.shape), rtol: rtol, atol: atol,
      "gradient of input \(position)", sourceLocation: sourceLocation)
  }
}
