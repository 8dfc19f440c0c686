import Foundation
import NamidFiles

/// The content of one file or one override, as a tree laid over the defaults.
struct ConfigurationSource {
  var tree: JSONValue

  private let name: String
  private var lines: [KeyPathText: Int]

  /// The largest size of a configuration file in bytes; other large files are not read into memory.
  private static let maximumBytes = 1 << 20

  /// Reads a file as what its name says it is.
  init(file: URL) throws {
    let bytes = try readFile(at: file, limit: Self.maximumBytes)
    let path = file.relativePath
    do {
      switch file.pathExtension.lowercased() {
      case "json":
        tree = try JSONValue(parsing: bytes)
        lines = [:]
      case "yaml", "yml":
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw YAMLError(reason: "expected UTF-8 text")
        }
        let document = try YAMLDocument(parsing: text)
        // A file of nothing but comments sets nothing.
        tree = document.tree == .null ? [:] : document.tree
        lines = document.lines
      default:
        throw YAMLError(reason: "expected a name that ends in .yaml, .yml or .json")
      }
    } catch {
      let line = (error as? YAMLError)?.line.map { ":\($0)" } ?? ""
      throw ConfigurationError.unreadableFile(path: path + line, reason: "\(error)")
    }
    guard tree.objectValue != nil else {
      let reason = "expected keys and values at the top level, found \(tree.text().prefix(40))"
      throw ConfigurationError.unreadableFile(path: path, reason: reason)
    }
    name = path
  }

  /// Reads `key.path=value`.
  init(override text: String) throws(ConfigurationError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    guard parts.count == 2 else {
      throw .unreadableOverride(text: text, reason: "expected key.path=value")
    }
    let keys = parts[0].components(separatedBy: ".")
    guard !keys.contains("") else {
      throw .unreadableOverride(text: text, reason: "expected a key before \"=\"")
    }
    guard !parts[1].isEmpty else {
      let reason = "expected a value after \"=\" (null for none, \"\" for an empty text)"
      throw .unreadableOverride(text: text, reason: reason)
    }
    do {
      let value = try YAMLDocument(parsing: parts[1]).tree
      tree = keys.reversed().reduce(value) { [$1: $0] }
    } catch {
      throw .unreadableOverride(
        text: text, reason: "\(error) (quote texts with special characters)")
    }
    name = "override \"\(text)\""
    lines = [:]
  }

  /// Makes the part below some keys a source of its own, as if its values stood at the top.
  func part(_ keys: String...) -> ConfigurationSource {
    var part = self
    part.tree = keys.reduce(tree) { $0[$1] ?? .null }
    part.lines = [:]
    for (path, line) in lines where path.components.starts(with: keys) {
      part.lines[KeyPathText(path.components.dropFirst(keys.count))] = line
    }
    return part
  }

  /// Turns lists that stand where there is a group into groups.
  ///
  /// An element is the name of a member that is there, or `name: value` for a member that is added or changed.
  ///
  /// - Parameter base: The tree that this source will be laid over.
  /// - Returns: The names in each list; other members are to be left out.
  /// - Throws: `ConfigurationError` for a name that is not there or comes twice, and for what is no name.
  mutating func expandLists(over base: JSONValue) throws(ConfigurationError) -> [String: [String]] {
    var selections: [String: [String]] = [:]
    var object = tree.objectValue ?? JSONObject()
    for (key, value) in object {
      guard let elements = value.arrayValue, let members = base[key]?.objectValue else { continue }
      var group = JSONObject()
      var names: [String] = []
      for (index, element) in elements.enumerated() {
        let place = KeyPathText([key, "[\(index)]"])
        let own = element.objectValue
        guard let name = element.stringValue ?? (own?.keys.count == 1 ? own?.keys.first : nil)
        else {
          throw refusal(
            .wrongType(key: place.text, expected: "a name, or name: value", found: element), place)
        }
        guard members[name] != nil || own != nil else {
          throw refusal(.badChoice(key: place.text, found: name, choices: members.keys), place)
        }
        guard !names.contains(name) else {
          throw refusal(.badValue(key: place.text, found: element, reason: "named twice"), place)
        }
        names.append(name)
        group[name] = own?[name]
        for (path, line) in lines where path.components.starts(with: place.components + [name]) {
          lines[KeyPathText([key] + path.components.dropFirst(2))] = line
        }
      }
      object[key] = .object(group)
      selections[key] = names
    }
    tree = .object(object)
    return selections
  }

  /// An error with the place where a value of this source was written.
  func refusal(_ error: ValueError, _ path: KeyPathText) -> ConfigurationError {
    .refused(error, origin: origin(of: path))
  }

  /// The place where a value of this source was written, as in `train.yaml:3`.
  func origin(of path: KeyPathText) -> String {
    lines[path].map { "\(name):\($0)" } ?? name
  }
}

/// The places where the values of a configuration were written, so that errors can say so.
public struct ConfigurationOrigins: Sendable {
  private var origins: [String: String] = [:]
  /// The place for keys that nobody has written; nil where there may be several.
  private let whole: String?

  /// An empty record of origins.
  init(whole: String? = nil) {
    self.whole = whole
  }

  /// The origin of a key, such as `train.yaml:3`, or of the nearest group around it that was written somewhere.
  ///
  /// - Parameter key: The key in full, as in `defense.lambda` or `attacks[1].steps`.
  /// - Returns: The origin; for what was not written, the one file that is read, or nil.
  public func origin(of key: String) -> String? {
    var key = Substring(key)
    while !key.isEmpty {
      if let origin = origins[String(key)] { return origin }
      let end = key.lastIndex { $0 == "." || $0 == "[" }
      key = end.map { key[..<$0] } ?? ""
    }
    return whole
  }

  /// Notes the values of a source.
  mutating func note(_ source: ConfigurationSource) {
    for (path, _) in source.tree.descendants() { origins[path.text] = source.origin(of: path) }
  }
}
