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

struct SingleTreeContainer: SingleValueEncodingContainer {
  let encoder: TreeEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  func encodeNil() { encoder.content = .leaf(.null) }

  func encode<T: Encodable>(_ value: T) throws { try encoder.fill(with: value) }
}
