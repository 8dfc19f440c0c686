import NamidFiles

struct KeyedTreeReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: TreeDecoder
  let object: JSONObject

  var codingPath: [any CodingKey] { decoder.codingPath }

  var allKeys: [Key] {
    let keys = object.keys.compactMap { Key(stringValue: $0) }
    for key in keys { decoder.visits?.note(decoder.path, key.stringValue) }
    return keys
  }

  func contains(_ key: Key) -> Bool {
    decoder.visits?.note(decoder.path, key.stringValue)
    return object[key.stringValue] != nil
  }

  func decodeNil(forKey key: Key) throws -> Bool { try node(key).value == .null }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try node(key).read(type)
  }

  func nestedContainer<Nested>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try node(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try node(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder { try node("super") }

  func superDecoder(forKey key: Key) throws -> any Decoder { try node(key) }

  private func node(_ key: Key) throws -> TreeDecoder { try node(key.stringValue) }

  private func node(_ key: String) throws -> TreeDecoder {
    decoder.visits?.note(decoder.path, key)
    guard let value = object[key] else {
      throw ValueError.missingKey(key: decoder.path.appending(key).text)
    }
    return decoder.child(key, value)
  }
}

struct UnkeyedTreeReader: UnkeyedDecodingContainer {
  let decoder: TreeDecoder
  let elements: [JSONValue]
  var currentIndex = 0

  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  mutating func decodeNil() throws -> Bool {
    guard try node().value == .null else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next { try $0.read(type) } }

  mutating func nestedContainer<Nested>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try next { try $0.container(keyedBy: type) }
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next { try $0.unkeyedContainer() }
  }

  mutating func superDecoder() throws -> any Decoder { try next { $0 } }

  /// Reads the element at hand and goes on to the next, unless reading fails.
  private mutating func next<T>(_ read: (TreeDecoder) throws -> T) throws -> T {
    let result = try read(node())
    currentIndex += 1
    return result
  }

  private func node() throws -> TreeDecoder {
    let component = "[\(currentIndex)]"
    guard !isAtEnd else {
      throw ValueError.missingKey(key: decoder.path.appending(component).text)
    }
    return decoder.child(component, elements[currentIndex])
  }
}

extension TreeDecoder: SingleValueDecodingContainer {
  func decodeNil() -> Bool { value == .null }

  func decode<T: Decodable>(_ type: T.Type) throws -> T { try read(type) }
}
