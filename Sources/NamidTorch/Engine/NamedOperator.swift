import CTorch
import Synchronization

/// An operator of libtorch's dispatcher that was found by its name, for callers that read names from files.
///
/// Such a caller decides first which names it allows: the dispatcher also knows operators that touch files.
package struct NamedOperator: @unchecked Sendable {
  // The engine never frees or changes an operator once found, so sharing the pointer is safe.
  let pointer: OpaquePointer
  /// The operator of this library with the same name, for counting calls.
  let known: Operator?
  /// Its name with the overload, such as `aten::add.Tensor`.
  package let name: String
  /// Its parameters, in the order in which it is called.
  package let parameters: [Parameter]
  /// True where its only result is a list of tensors.
  package let returnsList: Bool

  /// A parameter of an operator.
  package struct Parameter: Sendable, Equatable {
    /// Its name.
    package let name: String
    /// The type without list, option and size, such as `Tensor`, `SymInt` or `Scalar`.
    package let type: String
    /// True for a list.
    package let isList: Bool
    /// True where the elements of a list may be missing.
    package let hasOptionalElements: Bool
    /// True where none may stand.
    package let isOptional: Bool
    /// True where the schema has a default.
    package let hasDefault: Bool
    /// True where a result may share memory with it.
    package let isAliased: Bool
    /// True where the operator changes it.
    package let isMutated: Bool
  }

  private static let found = Mutex<[String: NamedOperator]>([:])

  /// Finds an operator in the loaded libtorch.
  ///
  /// - Parameters:
  ///   - name: Its name with the namespace, such as `aten::add`.
  ///   - overload: The overload's name; empty for the first one.
  /// - Returns: The operator.
  /// - Throws: `EngineError` where libtorch has none of that name.
  package static func find(
    _ name: String, overload: String = ""
  ) throws(EngineError) -> NamedOperator {
    let full = overload.isEmpty ? name : "\(name).\(overload)"
    if let present = found.withLock({ $0[full] }) { return present }
    let new = try NamedOperator(name, overload, full)
    found.withLock { $0[full] = new }
    return new
  }

  private init(_ name: String, _ overload: String, _ full: String) throws(EngineError) {
    var pointer: OpaquePointer?
    var text: UnsafeMutablePointer<CChar>?
    let status = ct_operator_find(name, overload, &pointer)
    guard status == CT_OK, let pointer else {
      throw EngineError(
        kind: .missingOperator, call: full, message: String(cString: ct_last_error()))
    }
    try require(ct_operator_schema(pointer, &text), full)
    defer { ct_free(text) }
    self.pointer = pointer
    self.name = full
    known = Operator(rawValue: full)
    let schema = text.map { String(cString: $0) } ?? ""
    parameters = Self.parameters(ofSchema: schema)
    returnsList = schema.hasSuffix("[]")
  }
}

extension NamedOperator {
  /// The parameters of a schema as libtorch prints it: `name(Tensor(a!) self, int[2] size=[1, 1], *, …) -> …`.
  static func parameters(ofSchema schema: String) -> [Parameter] {
    guard let start = schema.firstIndex(of: "(") else { return [] }
    var (parts, depth, isQuoted): ([String], Int, Bool) = ([""], 0, false)
    for character in schema[schema.index(after: start)...] {
      if character == "\"" { isQuoted.toggle() }
      if !isQuoted {
        if "([".contains(character) { depth += 1 }
        if ")]".contains(character) { depth -= 1 }
        if depth < 0 { break }
        if character == ",", depth == 0 {
          parts.append("")
          continue
        }
      }
      parts[parts.count - 1].append(character)
    }
    return parts.compactMap { Parameter(String($0.drop { $0 == " " })) }
  }
}

extension NamedOperator.Parameter {
  /// A parameter as a schema writes it; nil for the star before those that are passed by name.
  fileprivate init?(_ text: String) {
    var typeAndName = text[...]
    hasDefault = text.contains("=")
    if let equals = text.firstIndex(of: "=") { typeAndName = text[..<equals] }
    guard let space = typeAndName.lastIndex(of: " ") else { return nil }
    name = String(typeAndName[typeAndName.index(after: space)...])
    var type = String(typeAndName[..<space])
    // What is in parentheses says which memory is shared: `Tensor(a)`, `Tensor(a!)`, `Tensor(a -> *)[]`.
    isMutated = type.contains("!")
    isAliased = type.contains("(")
    if let opening = type.firstIndex(of: "("), let closing = type.firstIndex(of: ")") {
      type.removeSubrange(opening...closing)
    }
    isOptional = type.hasSuffix("?")
    if isOptional { type.removeLast() }
    isList = type.hasSuffix("]")
    if let bracket = type.firstIndex(of: "[") { type.removeSubrange(bracket...) }
    hasOptionalElements = isList && type.hasSuffix("?")
    if hasOptionalElements { type.removeLast() }
    self.type = type
  }
}

extension Tensor {
  /// A tensor that stands for a number where an operator takes a tensor; it does not change element types.
  ///
  /// - Parameter number: An integer, real or boolean value.
  /// - Returns: The tensor, of rank 0, or nil for another value.
  package static func number(_ number: OperatorValue) -> Tensor? {
    let value: ct_value
    switch number {
    case .integer(let integer):
      value = ct_value(
        tag: Int32(CT_INTEGER.rawValue), count: 0, integer: Int64(integer), real: 0, pointer: nil)
    case .real(let real):
      value = ct_value(
        tag: Int32(CT_REAL.rawValue), count: 0, integer: 0, real: real, pointer: nil)
    case .boolean(let boolean):
      value = ct_value(
        tag: Int32(CT_BOOLEAN.rawValue), count: 0, integer: boolean ? 1 : 0, real: 0, pointer: nil)
    default: return nil
    }
    var result: ct_tensor_ref?
    check(ct_tensor_from_number(value, &result), "Tensor.number")
    return result.map(Tensor.init(owning:))
  }
}
