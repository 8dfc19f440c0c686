import NamidFiles

extension JSONValue {
  /// Reads a value of a type out of this tree.
  ///
  /// - Parameters:
  ///   - type: The type to read.
  ///   - unknownKeys: The fate of a key that nothing reads; by default it is ignored, so
  ///     that files written by a later version stay readable.
  ///   - userInfo: The values that the type's `init(from:)` finds in its decoder, such as a list of choices.
  /// - Returns: The value.
  /// - Throws: `ValueError` with the full key of what is missing, unknown or of the wrong kind.
  public func decode<T: Decodable>(
    _ type: T.Type = T.self, unknownKeys: UnknownKeys = .ignored,
    userInfo: [CodingUserInfoKey: Any] = [:]
  ) throws -> T {
    let visits = unknownKeys == .refused ? VisitLog() : nil
    let root = TreeDecoder(
      value: self, path: KeyPathText(), visits: visits, userInfo: userInfo)
    let value = try root.read(type)
    try visits?.refuseUnvisited(in: self)
    return value
  }

  /// The fate of keys that nothing reads.
  public enum UnknownKeys: Sendable {
    /// Unknown keys are skipped.
    case ignored
    /// Unknown keys are an error that names the nearest valid key.
    case refused
  }
}

/// One node of a tree being read.
struct TreeDecoder: Decoder {
  static let expectedText = "a text"

  let value: JSONValue
  let path: KeyPathText
  let visits: VisitLog?
  let userInfo: [CodingUserInfoKey: Any]

  var codingPath: [any CodingKey] { path.components.map { AnyKey(stringValue: $0) } }

  func container<Key>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object(let object) = value else { throw wrongType("a group of keys") }
    visits?.note(path)
    return KeyedDecodingContainer(KeyedTreeReader(decoder: self, object: object))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let elements) = value else { throw wrongType("a list") }
    return UnkeyedTreeReader(decoder: self, elements: elements)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  /// Reads this node; what JSON knows by itself never reaches its `init(from:)`.
  func read<T: Decodable>(_ type: T.Type) throws -> T {
    switch type {
    case is JSONValue.Type: return try cast(value)
    case is Bool.Type: return try cast(value.boolValue, expected: "true or false")
    case is String.Type: return try cast(value.stringValue, expected: Self.expectedText)
    case is Double.Type: return try cast(value.doubleValue, expected: "a number")
    case is Float.Type: return try cast(value.doubleValue.map { Float($0) }, expected: "a number")
    case let type as any FixedWidthInteger.Type: return try cast(integer(type))
    default: return try readComposite(type)
    }
  }

  private func readComposite<T: Decodable>(_ type: T.Type) throws -> T {
    let complete = try withDefaults(of: type)
    do {
      let result = try T(from: complete)
      try (result as? any ConfigurationGroup)?.validate()
      return result
    } catch let error as ValueError {
      throw describingChoices(of: type, error) ?? error
    } catch let error as InvalidSetting {
      throw complete.invalid(error)
    } catch let error as DecodingError {
      let error = complete.translated(error)
      throw describingChoices(of: type, error) ?? error
    } catch {
      throw ValueError.badValue(key: path.text, found: value, reason: "\(error)")
    }
  }

  private func withDefaults(of type: any Decodable.Type) throws -> TreeDecoder {
    guard let group = type as? any ConfigurationGroup.Type, value.objectValue != nil else {
      return self
    }
    let complete = try JSONValue(encoding: group.init()).overlaid(with: value)
    return TreeDecoder(value: complete, path: path, visits: visits, userInfo: userInfo)
  }

  private func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
    let whole =
      switch value {
      case .int(let int): T(exactly: int)
      case .double(let double): T(exactly: double)
      default: T?.none
      }
    if let whole { return whole }
    let isRanged = value.doubleValue != nil && (value.intValue != nil || T.self != Int.self)
    throw wrongType(isRanged ? "an integer from \(T.min) to \(T.max)" : "an integer")
  }

  private func cast<T>(_ value: Any?, expected: String = "another value") throws -> T {
    guard let value = value as? T else { throw wrongType(expected) }
    return value
  }

  func wrongType(_ expected: String) -> ValueError {
    .wrongType(key: path.text, expected: expected, found: value)
  }

  func child(_ component: String, _ value: JSONValue) -> TreeDecoder {
    TreeDecoder(
      value: value, path: path.appending(component), visits: visits, userInfo: userInfo)
  }
}

extension TreeDecoder {
  private func invalid(_ setting: InvalidSetting) -> ValueError {
    let components = setting.key.split(separator: ".").map(String.init)
    let found = components.reduce(JSONValue?.some(value)) { $0?[$1] }
    let place = components.reduce(path) { $0.appending($1) }
    return .badValue(key: place.text, found: found ?? .null, reason: setting.reason)
  }

  /// Adds the valid names to an error about a name that an enumeration of texts does not have.
  private func describingChoices(of type: any Decodable.Type, _ error: ValueError) -> ValueError? {
    guard error.key == path.text, let type = type as? any (CaseIterable & RawRepresentable).Type
    else { return nil }
    let choices = rawTexts(of: type)
    if choices.isEmpty { return nil }
    if case .string(let found) = value {
      return .badChoice(key: path.text, found: found, choices: choices)
    }
    return wrongType("one of \(choices.joined(separator: ", "))")
  }

  private func rawTexts<T: CaseIterable & RawRepresentable>(of type: T.Type) -> [String] {
    type.allCases.compactMap { $0.rawValue as? String }
  }

  private func translated(_ error: DecodingError) -> ValueError {
    switch error {
    case .keyNotFound(let key, _): return .missingKey(key: path.appending(key.stringValue).text)
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      return .badValue(key: path.text, found: value, reason: context.debugDescription)
    @unknown default: return .badValue(key: path.text, found: value, reason: "\(error)")
    }
  }
}
