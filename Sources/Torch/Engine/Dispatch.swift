import CTorch

/// An operator that libtorch's dispatcher found, or the reason why it has none of that name.
struct ResolvedOperator: @unchecked Sendable {
  // The engine never frees or changes an operator once found, so sharing the pointer is safe.
  let pointer: OpaquePointer?
  let failure: String
}

extension Operator {
  static let table: [Operator: ResolvedOperator] = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0, $0.resolve()) })

  private func resolve() -> ResolvedOperator {
    let parts = rawValue.split(separator: ".", maxSplits: 1)
    var pointer: OpaquePointer?
    let status = ct_operator_find(
      String(parts[0]), parts.count > 1 ? String(parts[1]) : "", &pointer)
    return ResolvedOperator(
      pointer: pointer, failure: status == CT_OK ? "" : String(cString: ct_last_error()))
  }

  /// The operator's schema in the loaded libtorch; nil when it has no such operator.
  public var schema: String? {
    guard let pointer = Self.table[self]?.pointer else { return nil }
    var text: UnsafeMutablePointer<CChar>?
    guard ct_operator_schema(pointer, &text) == CT_OK, let text else { return nil }
    defer { ct_free(text) }
    return String(cString: text)
  }
}

/// Calls an operator; the one place where operator arguments cross into libtorch.
///
/// - Parameters:
///   - op: The operator.
///   - arguments: In schema order; what is missing at the end takes the schema's default.
/// - Returns: the tensors among the results, lists flattened.
/// - Throws: `EngineError` with libtorch's message.
public func call(_ op: Operator, _ arguments: [OperatorValue]) throws(EngineError) -> [Tensor] {
  CallCounter.note(op)
  guard let pointer = Operator.table[op]?.pointer else {
    fatalError("this libtorch has no operator \(op.rawValue): \(Operator.table[op]?.failure ?? "")")
  }
  return try withExtendedLifetime(arguments) { () throws(EngineError) -> [Tensor] in
    let scratch = Scratch()
    let values = arguments.map(scratch.value(of:))
    var count: Int32 = 0
    let results = scratch.results
    let status = values.withUnsafeBufferPointer {
      ct_operator_call(
        pointer, $0.baseAddress, Int32($0.count), results, Scratch.capacity, &count)
    }
    guard status == CT_OK else {
      throw EngineError(status: status, call: "\(op.rawValue)(\(summary(of: arguments)))")
    }
    return (0..<Int(count)).flatMap { tensors(of: results[$0]) }
  }
}

/// Calls an operator that can fail only through a programming error, and traps with shapes when it does.
@discardableResult
func invoke(_ op: Operator, _ arguments: any OperatorArgument...) -> [Tensor] {
  do {
    return try call(op, arguments.map(\.argument))
  } catch {
    engineFailed(error)
  }
}

/// The single result of an operator; see `invoke`.
@discardableResult
func one(_ op: Operator, _ arguments: any OperatorArgument...) -> Tensor {
  do {
    let results = try call(op, arguments.map(\.argument))
    guard let first = results.first else { fatalError("\(op.rawValue) returned no tensor") }
    return first
  } catch {
    engineFailed(error)
  }
}

private func tensors(of value: ct_value) -> [Tensor] {
  guard let pointer = value.pointer else { return [] }
  switch ct_tag(UInt32(value.tag)) {
  case CT_TENSOR:
    return [Tensor(owning: OpaquePointer(pointer))]
  case CT_TENSORS:
    let list = pointer.assumingMemoryBound(to: ct_tensor_ref.self)
    defer { ct_free(UnsafeMutableRawPointer(mutating: pointer)) }
    return (0..<Int(value.count)).map { Tensor(owning: list[$0]) }
  default:
    return []
  }
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

/// Memory that lives as long as one call: the lists and strings that its arguments point to.
private final class Scratch {
  static let capacity: Int32 = 8
  let results: UnsafeMutablePointer<ct_value>
  private var blocks: [UnsafeMutableRawPointer] = []

  init() {
    results = .allocate(capacity: Int(Self.capacity))
  }

  deinit {
    results.deallocate()
    for block in blocks { block.deallocate() }
  }

  func value(of argument: OperatorValue) -> ct_value {
    var value = ct_value()
    switch argument {
    case .none: value.tag = tag(CT_NONE)
    case .tensor(let tensor):
      value.tag = tag(CT_TENSOR)
      value.pointer = UnsafeRawPointer(tensor.handle)
    case .integer(let integer):
      value.tag = tag(CT_INTEGER)
      value.integer = Int64(integer)
    case .real(let real):
      value.tag = tag(CT_REAL)
      value.real = real
    case .boolean(let boolean):
      value.tag = tag(CT_BOOLEAN)
      value.integer = boolean ? 1 : 0
    case .string(let text):
      value.tag = tag(CT_STRING)
      value.pointer = copy(Array(text.utf8CString)).pointer
    case .device(let device):
      value.tag = tag(CT_DEVICE)
      value.integer = Int64(device.kind.rawValue)
      value.count = Int32(device.index)
    case .integers(let list): value = copy(list.map(Int64.init), as: CT_INTEGERS)
    case .reals(let list): value = copy(list, as: CT_REALS)
    case .booleans(let list): value = copy(list, as: CT_BOOLEANS)
    case .tensors(let list): value = copy(list.map(\.handle), as: CT_TENSORS)
    case .optionalTensors(let list): value = copy(list.map(\.?.handle), as: CT_OPTIONAL_TENSORS)
    }
    return value
  }

  private func copy<Element>(_ elements: [Element], as kind: ct_tag = CT_NONE) -> ct_value {
    let block = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
    block.initialize(from: elements, count: elements.count)
    blocks.append(UnsafeMutableRawPointer(block))
    var value = ct_value()
    value.tag = tag(kind)
    value.count = Int32(elements.count)
    value.pointer = UnsafeRawPointer(block)
    return value
  }

  private func tag(_ kind: ct_tag) -> Int32 { Int32(kind.rawValue) }
}
