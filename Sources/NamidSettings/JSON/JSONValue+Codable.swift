import NamidFiles

extension JSONValue: Codable {
  /// Writes the value into any encoder.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .object(let object):
      var container = encoder.container(keyedBy: AnyKey.self)
      for (key, value) in object { try container.encode(value, forKey: AnyKey(stringValue: key)) }
    case .array(let elements):
      var container = encoder.unkeyedContainer()
      for element in elements { try container.encode(element) }
    case .null: try encodeScalar(nil as Bool?, to: encoder)
    case .bool(let value): try encodeScalar(value, to: encoder)
    case .int(let value): try encodeScalar(value, to: encoder)
    case .double(let value): try encodeScalar(value, to: encoder)
    case .string(let value): try encodeScalar(value, to: encoder)
    }
  }

  private func encodeScalar(_ value: (some Encodable)?, to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value { try container.encode(value) } else { try container.encodeNil() }
  }

  /// Reads any value out of any decoder.
  public init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: AnyKey.self) {
      let keys = container.allKeys
      self = .object(
        JSONObject(
          try keys.map { ($0.stringValue, try container.decode(JSONValue.self, forKey: $0)) }))
    } else if var container = try? decoder.unkeyedContainer() {
      var elements: [JSONValue] = []
      while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
      self = .array(elements)
    } else {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .null
      } else if let bool = try? container.decode(Bool.self) {
        self = .bool(bool)
      } else if let int = try? container.decode(Int.self) {
        self = .int(int)
      } else if let double = try? container.decode(Double.self) {
        self = .double(double)
      } else {
        self = .string(try container.decode(String.self))
      }
    }
  }
}

extension JSONValue {
  /// Lays another tree over this one: groups merge key by key, everything else is replaced.
  package func overlaid(with other: JSONValue) -> JSONValue {
    guard case .object(var object) = self, case .object(let overlay) = other else { return other }
    for (key, value) in overlay { object[key] = object[key]?.overlaid(with: value) ?? value }
    return .object(object)
  }
}
