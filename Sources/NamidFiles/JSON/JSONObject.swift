/// The members of a JSON object, in the order in which they were written.
///
/// Order is kept for people who read the file; it does not count for equality.
public struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
  /// The names of the members, in order.
  public private(set) var keys: [String] = []

  private var values: [String: JSONValue] = [:]

  /// Makes an object without members.
  public init() {}

  /// Makes an object from names and values; of a repeated name the last value stays.
  public init(_ members: some Sequence<(key: String, value: JSONValue)>) {
    for (key, value) in members {
      self[key] = value
    }
  }

  /// Makes an object from a literal, in the literal's order.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self.init(elements.map { (key: $0.0, value: $0.1) })
  }

  /// The value of a member, or nil where there is none; assigning nil removes the member.
  public subscript(key: String) -> JSONValue? {
    get { values[key] }
    set {
      if let newValue {
        if values.updateValue(newValue, forKey: key) == nil { keys.append(key) }
      } else if values.removeValue(forKey: key) != nil {
        keys.removeAll { $0 == key }
      }
    }
  }
}

extension JSONObject: Hashable {
  /// Tells whether both objects hold the same members, in whatever order.
  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.values == right.values
  }

  /// Feeds the members into a hasher, blind to their order.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(values)
  }
}

extension JSONObject: RandomAccessCollection {
  /// The position of the first member.
  public var startIndex: Int { keys.startIndex }

  /// The position after the last member.
  public var endIndex: Int { keys.endIndex }

  /// The member at a position.
  public subscript(position: Int) -> (key: String, value: JSONValue) {
    let key = keys[position]
    return (key, values[key] ?? .null)
  }
}
