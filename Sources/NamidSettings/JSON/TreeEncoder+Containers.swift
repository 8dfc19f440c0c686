struct KeyedTreeContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: TreeEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  func encodeNil(forKey key: Key) { encoder.addChild(named: key).content = .leaf(.null) }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try encoder.addChild(named: key).fill(with: value)
  }

  func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    try orNull(value, key)
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

struct UnkeyedTreeContainer: UnkeyedEncodingContainer {
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

extension TreeEncoder: SingleValueEncodingContainer {
  func encodeNil() { content = .leaf(.null) }

  func encode<T: Encodable>(_ value: T) throws { try fill(with: value) }
}

/// Optional members that are nil become null instead of being left out.
///
/// Synthesized conformances call `encodeIfPresent` for optional members. The protocol's own
/// implementations drop nil and with it the knowledge that the key exists; they win over a generic
/// one, so each type needs its own.
extension KeyedTreeContainer {
  func orNull(_ value: (some Encodable)?, _ key: Key) throws {
    if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }

  func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: String?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try orNull(value, key) }
  func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try orNull(value, key) }
}
