import CTorch

/// Runs `body` without recording gradients, and restores the mode afterwards, also when it throws.
///
/// The closure is synchronous on purpose: the mode belongs to the thread, and a suspension could change it.
@discardableResult
public func withoutGrad<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  try withGradMode(false, body)
}

/// Runs `body` with gradients recorded, also inside `withoutGrad`.
@discardableResult
public func withGrad<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  try withGradMode(true, body)
}

private func withGradMode<Result, Failure: Error>(
  _ enabled: Bool, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  var previous = false
  check(ct_grad_mode_exchange(enabled, &previous), "withGradMode")
  defer {
    var ignored = false
    check(ct_grad_mode_exchange(previous, &ignored), "withGradMode")
    // Autocast keeps low-precision copies of weights; those made here have no gradient history and must not
    // serve a forward pass outside.
    if previous && !enabled { check(ct_autocast_clear_cache(), "withGradMode") }
  }
  return try body()
}

extension Tensor {
  /// Adds the gradients of this scalar to `grad` of every tensor that it depends on and that requires one.
  public func backward(retainGraph: Bool = false) {
    CallCounter.note(\.gradients)
    check(ct_backward(handle, retainGraph), "backward() of a tensor of shape \(shape)")
  }
}

/// The gradients of `output` with respect to `inputs`, without touching any `grad`.
///
/// - Parameters:
///   - output: A scalar, or any shape together with `outputGradient`.
///   - inputs: Tensors that `output` depends on.
///   - outputGradient: The gradient of the final value with respect to `output`; ones when nil.
///   - retainGraph: True to keep the graph, so that it can be walked again.
///   - createGraph: True to record a graph of the gradients, so that they can be differentiated themselves.
/// - Returns: One tensor per input; zeros where `output` does not depend on it.
public func grad(
  of output: Tensor, wrt inputs: [Tensor], outputGradient: Tensor? = nil,
  retainGraph: Bool = false, createGraph: Bool = false
) -> [Tensor] {
  CallCounter.note(\.gradients)
  var results = [ct_tensor_ref?](repeating: nil, count: inputs.count)
  withExtendedLifetime((output, inputs, outputGradient)) {
    let outputs: [ct_tensor_ref?] = [output.handle]
    let seeds: [ct_tensor_ref?]? = outputGradient.map { [$0.handle] }
    let handles: [ct_tensor_ref?] = inputs.map(\.handle)
    let count = Int32(handles.count)
    let status =
      if let seeds {
        ct_grad(outputs, 1, seeds, handles, count, retainGraph, createGraph, &results)
      } else {
        ct_grad(outputs, 1, nil, handles, count, retainGraph, createGraph, &results)
      }
    check(status, "grad(of: \(output.shape))")
  }
  return zip(results, inputs).map { result, input in
    result.map(Tensor.init(owning:)) ?? input.zerosLike()
  }
}

/// The gradient of `output` with respect to one tensor; see `grad(of:wrt:)` for several.
public func grad(of output: Tensor, wrt input: Tensor, outputGradient: Tensor? = nil) -> Tensor {
  grad(of: output, wrt: [input], outputGradient: outputGradient)[0]
}
