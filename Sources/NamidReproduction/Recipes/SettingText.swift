import NamidFiles

/// One setting as `--set` takes it.
package struct SettingText: Equatable {
  /// The key, such as `training.epochs`.
  package var key: String
  /// The value as YAML.
  package var value: String

  /// The setting as `--set` takes it.
  package var text: String { "\(key)=\(value)" }

  /// The values of a tree of groups, in order.
  package static func all(of tree: JSONValue, below key: String = "") -> [SettingText] {
    guard case .object(let object) = tree else {
      return [SettingText(key: key, value: text(of: tree))]
    }
    return object.flatMap { member in
      all(of: member.value, below: key.isEmpty ? member.key : "\(key).\(member.key)")
    }
  }

  /// A value as YAML on one line; JSON is YAML, too.
  static func text(of value: JSONValue) -> String {
    guard case .string(let text) = value else { return value.text() }
    let words = ["true", "false", "null"]
    let isPlain =
      !words.contains(text.lowercased())
      && text.contains { $0.isLetter || $0 == "/" } && !text.hasPrefix("0x")
      && text.utf8.allSatisfy { byte in
        let character = Character(Unicode.Scalar(byte))
        return character.isASCII
          && (character.isLetter || character.isNumber || "_-./".contains(character))
      } && text.first.map { $0.isLetter || $0.isNumber } == true && Double(text) == nil
    return isPlain ? text : value.text()
  }

}

extension JSONValue {
  /// Checks that a tree of groups holds a value at a path such as `training.epochs`.
  func says(_ key: String) -> Bool {
    var value = self
    for part in key.split(separator: ".") {
      guard let below = value[String(part.prefix { $0 != "[" })] else { return false }
      value = below
    }
    return !key.isEmpty
  }
}
