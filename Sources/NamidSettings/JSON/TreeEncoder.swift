import NamidFiles

extension JSONValue {
  /// Turns a value into JSON.
  ///
  /// Members come in the order in which the value encodes them, which for synthesized conformances
  /// is the order of declaration. Unlike other encoders this one writes an optional member that is
  /// nil as null, so that the result names every key that could be set.
  ///
  /// - Parameter value: Any encodable value.
  /// - Throws: The errors of the value's own `encode(to:)`, or `EncodingError` for an integer that
  ///   does not fit in 64 signed bits.
  public init(encoding value: some Encodable) throws {
    self = try TreeEncoder.tree(of: value, isCanonical: false)
  }
}

/// One node of the tree under construction.
final class TreeEncoder: Encoder {
  enum Content {
    case empty
    case leaf(JSONValue)
    case array([TreeEncoder])
    case object(keys: [String], children: [String: TreeEncoder])
  }

  let codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any]
  var content = Content.empty

  init(codingPath: [any CodingKey], userInfo: [CodingUserInfoKey: Any]) {
    self.codingPath = codingPath
    self.userInfo = userInfo
  }

  static func tree(of value: some Encodable, isCanonical: Bool) throws -> JSONValue {
    let root = TreeEncoder(codingPath: [], userInfo: isCanonical ? [.isCanonical: true] : [:])
    try root.fill(with: value)
    return root.value
  }

  func container<Key>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .empty = content { content = .object(keys: [], children: [:]) }
    return KeyedEncodingContainer(KeyedTreeContainer(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if case .empty = content { content = .array([]) }
    return UnkeyedTreeContainer(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  private var value: JSONValue {
    switch content {
    case .empty: return [:]
    case .leaf(let value): return value
    case .array(let children): return .array(children.map(\.value))
    case .object(let keys, let children):
      return .object(JSONObject(keys.map { (key: $0, value: children[$0]?.value ?? .null) }))
    }
  }

  /// Writes any value into this node; what JSON knows by itself never reaches its `encode(to:)`.
  func fill(with value: some Encodable) throws {
    switch value {
    case let value as JSONValue: content = .leaf(value)
    case let value as Bool: content = .leaf(.bool(value))
    case let value as String: content = .leaf(.string(value))
    case let value as Double: content = .leaf(.double(value))
    case let value as Float:
      // The shortest text of the float: 0.1, not 0.10000000149011612.
      content = .leaf(.double(Double(value.description) ?? Double(value)))
    case let value as any BinaryInteger:
      guard let int = Int(exactly: value) else {
        let reason = "\(value) does not fit in a signed integer of \(Int.bitWidth) bits"
        throw EncodingError.invalidValue(
          value, .init(codingPath: codingPath, debugDescription: reason))
      }
      content = .leaf(.int(int))
    case let value as any StringKeyedDictionary:
      // A dictionary has no order of its own, and its iteration order changes from run to run.
      let container = container(keyedBy: AnyKey.self)
      try value.encodeSorted(into: container)
    default: try value.encode(to: self)
    }
  }

  func child(at key: some CodingKey) -> TreeEncoder {
    TreeEncoder(codingPath: codingPath + [key], userInfo: userInfo)
  }

  func addChild(named key: some CodingKey) -> TreeEncoder {
    let child = child(at: key)
    guard case .object(var keys, var children) = content else {
      preconditionFailure(
        "expected a keyed container at \(codingPath), it was used as another kind")
    }
    content = .empty
    if children.updateValue(child, forKey: key.stringValue) == nil { keys.append(key.stringValue) }
    content = .object(keys: keys, children: children)
    return child
  }

  var count: Int {
    if case .array(let children) = content { return children.count }
    return 0
  }

  func appendChild() -> TreeEncoder {
    guard case .array(var children) = content else {
      preconditionFailure("expected a list at \(codingPath), it was used as another kind")
    }
    let child = child(at: AnyKey(children.count))
    content = .empty
    children.append(child)
    content = .array(children)
    return child
  }
}

private protocol StringKeyedDictionary {
  func encodeSorted(into container: KeyedEncodingContainer<AnyKey>) throws
}

extension Dictionary: StringKeyedDictionary where Key == String, Value: Encodable {
  func encodeSorted(into container: KeyedEncodingContainer<AnyKey>) throws {
    var container = container
    for (key, value) in sorted(by: { $0.key < $1.key }) {
      try container.encode(value, forKey: AnyKey(stringValue: key))
    }
  }
}
