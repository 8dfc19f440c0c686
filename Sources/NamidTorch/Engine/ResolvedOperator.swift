import CTorch

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

  /// Finds the operator in the loaded libtorch.
  ///
  /// - Returns: The operator.
  /// - Throws: `EngineError` when that libtorch has none of its name.
  func pointer() throws(EngineError) -> OpaquePointer {
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
