/// A JSON value whose objects keep the order of their members and whose integers stay integers.
///
/// It is the common ground of configuration files, metrics and reports: every `Encodable` value
/// can be turned into one (`JSONValue(encoding:)`) and back (`decode(_:)`).
public enum JSONValue: Hashable, Sendable {
  /// The absence of a value.
  case null
  /// A truth value.
  case bool(Bool)
  /// A number written without fraction or exponent.
  case int(Int)
  /// Any other number.
  case double(Double)
  /// A text.
  case string(String)
  /// A list of values.
  case array([JSONValue])
  /// Named values, in order.
  case object(JSONObject)
}

extension JSONValue {
  /// The value of a member, or nil where this is no object or has no such member.
  public subscript(key: String) -> JSONValue? {
    if case .object(let object) = self { return object[key] }
    return nil
  }

  /// The members, where this is an object.
  public var objectValue: JSONObject? {
    if case .object(let object) = self { return object }
    return nil
  }

  /// The elements, where this is an array.
  public var arrayValue: [JSONValue]? {
    if case .array(let array) = self { return array }
    return nil
  }

  /// The text, where this is a string.
  public var stringValue: String? {
    if case .string(let string) = self { return string }
    return nil
  }

  /// The truth value, where this is one.
  public var boolValue: Bool? {
    if case .bool(let bool) = self { return bool }
    return nil
  }

  /// The integer, where this is a number without fraction that fits.
  public var intValue: Int? {
    switch self {
    case .int(let int): int
    case .double(let double): Int(exactly: double)
    default: nil
    }
  }

  /// The number, where this is one or one of the texts `"nan"`, `"inf"` and `"-inf"`.
  ///
  /// JSON has no spelling for those three; this project writes them as these texts.
  public var doubleValue: Double? {
    switch self {
    case .int(let int): Double(int)
    case .double(let double): double
    case .string("nan"): .nan
    case .string("inf"): .infinity
    case .string("-inf"): -.infinity
    default: nil
    }
  }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// Makes null.
  public init(nilLiteral: ()) { self = .null }

  /// Makes a truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }

  /// Makes an integer.
  public init(integerLiteral value: Int) { self = .int(value) }

  /// Makes a number.
  public init(floatLiteral value: Double) { self = .double(value) }

  /// Makes a text.
  public init(stringLiteral value: String) { self = .string(value) }

  /// Makes a list.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

  /// Makes an object, in the literal's order.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements.map { (key: $0.0, value: $0.1) }))
  }
}
