import CTorch

/// Calls an operator; the one place where operator arguments cross into libtorch.
///
/// - Parameters:
///   - op: The operator.
///   - arguments: In schema order; what is missing at the end takes the schema's default.
/// - Returns: the tensors among the results, lists flattened.
/// - Throws: `EngineError` with libtorch's message.
public func call(_ op: Operator, _ arguments: [OperatorValue]) throws(EngineError) -> [Tensor] {
  try results(of: op, arguments) { values in
    values.count == 1 ? tensors(of: values[0]) : values.flatMap(tensors)
  }
}

/// Calls an operator that can fail only through a programming error, and traps with shapes when it does.
@discardableResult
func invoke<each Argument: OperatorArgument>(
  _ op: Operator, _ arguments: repeat each Argument
) -> [Tensor] {
  do {
    return try call(op, values(repeat each arguments))
  } catch {
    engineFailed(error)
  }
}

/// The single result of an operator; see `invoke`.
@discardableResult
func one<each Argument: OperatorArgument>(
  _ op: Operator, _ arguments: repeat each Argument
) -> Tensor {
  do throws(EngineError) {
    let tensor = try results(of: op, values(repeat each arguments)) {
      $0.first.flatMap { Tensor($0) }
    }
    guard let tensor else {
      throw EngineError(kind: .other, call: op.rawValue, message: "it returned no tensor")
    }
    return tensor
  } catch {
    engineFailed(error)
  }
}

private func values<each Argument: OperatorArgument>(
  _ arguments: repeat each Argument
) -> [OperatorValue] {
  var values: [OperatorValue] = []
  values.reserveCapacity(8)
  for argument in repeat each arguments { values.append(argument.argument) }
  return values
}

/// Calls an operator; `body` takes over the tensors among its results.
private func results<Result>(
  of op: Operator, _ arguments: [OperatorValue], body: (UnsafeBufferPointer<ct_value>) -> Result
) throws(EngineError) -> Result {
  CallCounter.note(op)
  let pointer = try op.pointer()
  let outcome = withExtendedLifetime(arguments) {
    withCallMemory(for: arguments) { memory -> Swift.Result<Result, EngineError> in
      var count: Int32 = 0
      let status = ct_operator_call(
        pointer, memory.arguments, Int32(arguments.count), memory.results,
        Int32(CallMemory.resultCapacity), &count)
      guard status == CT_OK else {
        return .failure(
          EngineError(status: status, call: "\(op.rawValue)(\(summary(of: arguments)))"))
      }
      return .success(body(UnsafeBufferPointer(start: memory.results, count: Int(count))))
    }
  }
  return try outcome.get()
}

extension Tensor {
  /// Takes over a result that is a tensor.
  fileprivate convenience init?(_ value: ct_value) {
    guard value.tag == CT_TENSOR.rawValue, let pointer = value.pointer else { return nil }
    self.init(owning: OpaquePointer(pointer))
  }
}

/// The tensors of a result that is one or a list of them.
private func tensors(of value: ct_value) -> [Tensor] {
  if let tensor = Tensor(value) { return [tensor] }
  guard value.tag == CT_TENSORS.rawValue, let pointer = value.pointer else { return [] }
  let list = pointer.assumingMemoryBound(to: ct_tensor_ref.self)
  defer { ct_free(UnsafeMutableRawPointer(mutating: pointer)) }
  return (0..<Int(value.count)).map { Tensor(owning: list[$0]) }
}

/// The arguments in short, with shapes, for messages.
private func summary(of arguments: [OperatorValue]) -> String {
  arguments.map { argument in
    switch argument {
    case .none: "none"
    case .tensor(let tensor): "\(tensor.dtype)\(tensor.shape)"
    case .tensors(let list): "[\(list.count) tensors]"
    case .optionalTensors(let list): "[\(list.count) tensors]"
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .device(let value): "\(value)"
    case .integers(let list): "\(list)"
    case .reals(let list): "\(list)"
    case .booleans(let list): "\(list)"
    }
  }.joined(separator: ", ")
}
