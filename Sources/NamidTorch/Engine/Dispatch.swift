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

/// Calls an operator that was found by its name; see `call` for those of this library.
///
/// - Parameters:
///   - op: The operator.
///   - arguments: In schema order; what is missing at the end or `omitted` takes the schema's default.
/// - Returns: the tensors among the results, lists flattened.
/// - Throws: `EngineError` with libtorch's message.
package func call(
  _ op: NamedOperator, _ arguments: [OperatorValue]
) throws(EngineError) -> [Tensor] {
  if let known = op.known { CallCounter.note(known) }
  return try results(of: op.pointer, named: op.name, arguments) { $0.flatMap(tensors) }
}

/// Calls an operator that was found by its name and has one result, a tensor.
package func callForTensor(
  _ op: NamedOperator, _ arguments: [OperatorValue]
) throws(EngineError) -> Tensor {
  if let known = op.known { CallCounter.note(known) }
  let tensor = try results(of: op.pointer, named: op.name, arguments) {
    $0.first.flatMap { Tensor($0) }
  }
  guard let tensor else {
    throw EngineError(kind: .other, call: op.name, message: "it returned no tensor")
  }
  return tensor
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
  return try results(of: op.pointer(), named: op.rawValue, arguments, body: body)
}

private func results<Result>(
  of pointer: OpaquePointer, named name: String, _ arguments: [OperatorValue],
  body: (UnsafeBufferPointer<ct_value>) -> Result
) throws(EngineError) -> Result {
  let outcome = withExtendedLifetime(arguments) {
    withCallMemory(for: arguments) { memory -> Swift.Result<Result, EngineError> in
      var count: Int32 = 0
      let status = ct_operator_call(
        pointer, memory.arguments, Int32(arguments.count), memory.results,
        Int32(CallMemory.resultCapacity), &count)
      guard status == CT_OK else {
        return .failure(
          EngineError(status: status, call: "\(name)(\(summary(of: arguments)))"))
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
    case .omitted: "default"
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

/// An operator that libtorch's dispatcher found, or the reason why it has none of that name.
private struct ResolvedOperator: @unchecked Sendable {
  // The engine never frees or changes an operator once found, so sharing the pointer is safe.
  let pointer: OpaquePointer?
  let failure: String

  init(_ op: Operator) {
    let parts = op.rawValue.split(separator: ".", maxSplits: 1)
    var pointer: OpaquePointer?
    let status = ct_operator_find(
      String(parts[0]), parts.count > 1 ? String(parts[1]) : "", &pointer)
    self.pointer = pointer
    failure = status == CT_OK ? "" : String(cString: ct_last_error())
  }

  /// The resolved form of every operator, at its place in memory.
  static let table: [ResolvedOperator] = {
    let places = Operator.allCases.map(\.place)
    precondition(places == Array(places.indices))
    return Operator.allCases.map(ResolvedOperator.init)
  }()
}

extension Operator {
  /// The case's number, which is what an enumeration without payloads is in memory.
  ///
  /// The operator's place in the table; a dictionary would hash its name in every call.
  fileprivate var place: Int { Int(unsafeBitCast(self, to: UInt8.self)) }

  /// Finds the operator in the loaded libtorch; throws when that has none of its name.
  fileprivate func pointer() throws(EngineError) -> OpaquePointer {
    let resolved = ResolvedOperator.table[place]
    guard let pointer = resolved.pointer else {
      throw EngineError(
        kind: .missingOperator, call: rawValue,
        message: "this libtorch has no such operator; 2.11 and later have it (\(resolved.failure))")
    }
    return pointer
  }

  /// The operator's schema in the loaded libtorch; nil when it has no such operator.
  public var schema: String? {
    guard let pointer = ResolvedOperator.table[place].pointer else { return nil }
    var text: UnsafeMutablePointer<CChar>?
    guard ct_operator_schema(pointer, &text) == CT_OK, let text else { return nil }
    defer { ct_free(text) }
    return String(cString: text)
  }
}
