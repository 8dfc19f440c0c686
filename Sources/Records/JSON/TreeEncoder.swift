extension JSONValue {
  /// Turns a value into JSON.
  ///
  /// Members come in the order in which the value encodes them, which for synthesized conformances
  /// is the order of declaration. Unlike other encoders this one writes an optional member that is
  /// nil as null, so that the result names every key that could be set.
  ///
  /// - Parameter value: Any encodable value.
  /// - Throws: What the value's own `encode(to:)` throws, or `EncodingError` for an integer that
  ///   does not fit in 64 signed bits.
  public init(encoding value: some Encodable) throws {
    self = try TreeEncoder.tree(of: value, isCanonical: false)
  }
}

extension CodingUserInfoKey {
  /// Present where a value is encoded for hashing, so that equal values must give equal text.
  static let isCanonical = CodingUserInfoKey.named("records.isCanonical")

  private static func named(_ name: String) -> CodingUserInfoKey {
    guard let key = CodingUserInfoKey(rawValue: name) else {
      preconditionFailure("expected any text to be a user info key, \"\(name)\" was refused")
    }
    return key
  }
}

/// One node of the tree under construction.
final class TreeEncoder: Encoder {
  fileprivate enum Content {
    case empty
    case leaf(JSONValue)
    case array([TreeEncoder])
    case object(keys: [String], children: [String: TreeEncoder])
  }

  let codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any]
  fileprivate var content = Content.empty

  fileprivate init(codingPath: [any CodingKey], userInfo: [CodingUserInfoKey: Any]) {
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

  func singleValueContainer() -> any SingleValueEncodingContainer {
    SingleTreeContainer(encoder: self)
  }

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
  fileprivate func fill(with value: some Encodable) throws {
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

  fileprivate func child(at key: some CodingKey) -> TreeEncoder {
    TreeEncoder(codingPath: codingPath + [key], userInfo: userInfo)
  }

  fileprivate func addChild(named key: some CodingKey) -> TreeEncoder {
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

  fileprivate var count: Int {
    if case .array(let children) = content { return children.count }
    return 0
  }

  fileprivate func appendChild() -> TreeEncoder {
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

/// A coding key made of any text or index.
struct AnyKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(stringValue: String) {
    self.stringValue = stringValue
    self.intValue = nil
  }

  init(intValue: Int) { self.init(intValue) }

  init(_ index: Int) {
    self.stringValue = String(index)
    self.intValue = index
  }
}

private protocol StringKeyedDictionary {
  func encodeSorted(into container: KeyedEncodingContainer<AnyKey>) throws
}

extension Dictionary: StringKeyedDictionary where Key == String, Value: Encodable {
  fileprivate func encodeSorted(into container: KeyedEncodingContainer<AnyKey>) throws {
    var container = container
    for (key, value) in sorted(by: { $0.key < $1.key }) {
      try container.encode(value, forKey: AnyKey(stringValue: key))
    }
  }
}

struct KeyedTreeContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  fileprivate let encoder: TreeEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  func encodeNil(forKey key: Key) { encoder.addChild(named: key).content = .leaf(.null) }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try encoder.addChild(named: key).fill(with: value)
  }

  func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    try encodeOrNull(value, forKey: key)
  }

  func nestedContainer<Nested>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    encoder.addChild(named: key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    encoder.addChild(named: key).unkeyedContainer()
  }

  func superEncoder() -> any Encoder { encoder.addChild(named: AnyKey(stringValue: "super")) }

  func superEncoder(forKey key: Key) -> any Encoder { encoder.addChild(named: key) }
}

private struct UnkeyedTreeContainer: UnkeyedEncodingContainer {
  let encoder: TreeEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }
  var count: Int { encoder.count }

  func encodeNil() { encoder.appendChild().content = .leaf(.null) }

  func encode<T: Encodable>(_ value: T) throws { try encoder.appendChild().fill(with: value) }

  func nestedContainer<Nested>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    encoder.appendChild().container(keyedBy: type)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    encoder.appendChild().unkeyedContainer()
  }

  func superEncoder() -> any Encoder { encoder.appendChild() }
}

private struct SingleTreeContainer: SingleValueEncodingContainer {
  let encoder: TreeEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  func encodeNil() { encoder.content = .leaf(.null) }

  func encode<T: Encodable>(_ value: T) throws { try encoder.fill(with: value) }
}
