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

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let result = try node().read(type)
    currentIndex += 1
    return result
  }

  mutating func nestedContainer<Nested>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    let container = try node().container(keyedBy: type)
    currentIndex += 1
    return container
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let container = try node().unkeyedContainer()
    currentIndex += 1
    return container
  }

  mutating func superDecoder() throws -> any Decoder {
    defer { currentIndex += 1 }
    return try node()
  }

  private func node() throws -> TreeDecoder {
    let component = "[\(currentIndex)]"
    guard !isAtEnd else {
      throw ValueError.missingKey(key: decoder.path.appending(component).text)
    }
    return decoder.child(component, elements[currentIndex])
  }
}

struct SingleTreeReader: SingleValueDecodingContainer {
  let decoder: TreeDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.value == .null }

  func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.read(type) }
}
