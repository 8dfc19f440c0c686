import NamidFiles

/// A value that cannot be read as what it should be, or a key that should not be there.
///
/// Keys are given in full from the top, as in `defense.lambda` or `attacks[1].steps`.
public enum ValueError: Error, Equatable {
  /// A key that nothing reads, with the name that was probably meant and all valid ones.
  case unknownKey(key: String, suggestion: String?, valid: [String])
  /// A key that must be there and is not.
  case missingKey(key: String)
  /// A value of another kind than expected.
  case wrongType(key: String, expected: String, found: JSONValue)
  /// A name outside a fixed list of choices.
  case badChoice(key: String, found: String, choices: [String])
  /// A value of the right kind that is refused for the reason given.
  case badValue(key: String, found: JSONValue, reason: String)

  /// The key in question, in full.
  public var key: String {
    switch self {
    case .unknownKey(let key, _, _), .missingKey(let key), .wrongType(let key, _, _),
      .badChoice(let key, _, _), .badValue(let key, _, _):
      key
    }
  }
}

extension ValueError: CustomStringConvertible {
  /// A sentence on what was expected, what was found and, where it can be guessed, what was meant.
  public var description: String {
    switch self {
    case .unknownKey(let key, let suggestion, let valid):
      let guess = suggestion.map { ": did you mean \"\($0)\"?" } ?? ""
      let list = valid.isEmpty ? "no key is valid here" : "valid: \(valid.joined(separator: ", "))"
      return "unknown key \"\(key)\"\(guess) (\(list))"
    case .missingKey(let key):
      return "missing key \"\(key)\""
    case .wrongType(let key, let expected, let found):
      return "\(Self.place(key)): expected \(expected), found \(Self.text(of: found))"
        + Self.hint(expected: expected, found: found)
    case .badChoice(let key, let found, let choices):
      let guess = nearest(found, among: choices).map { ": did you mean \"\($0)\"?" } ?? ""
      return "\(Self.place(key)): unknown choice \"\(found)\"\(guess)"
        + " (choices: \(choices.joined(separator: ", ")))"
    case .badValue(let key, let found, let reason):
      return "\(Self.place(key)): \(reason), found \(Self.text(of: found))"
    }
  }

  private static func place(_ key: String) -> String { key.isEmpty ? "the top level" : key }

  private static func hint(expected: String, found: JSONValue) -> String {
    guard expected == TreeDecoder.expectedText else { return "" }
    switch found {
    case .int, .double, .bool: return " (in quotes it is a text)"
    case .null: return " (an empty text is \"\")"
    default: return ""
    }
  }

  private static func text(of value: JSONValue) -> String {
    switch value {
    case .array(let elements): return "a list of \(elements.count)"
    case .object(let object):
      return object.isEmpty ? "an empty group" : "a group (\(object.keys.joined(separator: ", ")))"
    default:
      let text = value.text()
      return text.count <= 60 ? text : text.prefix(57) + "..."
    }
  }
}
