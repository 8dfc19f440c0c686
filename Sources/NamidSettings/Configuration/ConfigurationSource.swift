import Foundation
import NamidFiles

/// The content of one file or one override, as a tree laid over the defaults.
struct ConfigurationSource {
  let tree: JSONValue

  private let name: String
  private let lines: [KeyPathText: Int]

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

  /// Notes a source; below a path, as if its values stood at the top.
  mutating func note(_ source: ConfigurationSource, below prefix: [String] = []) {
    let tree = prefix.reduce(source.tree) { $0[$1] ?? .null }
    let start = prefix.reduce(KeyPathText()) { $0.appending($1) }
    for (path, _) in tree.descendants() {
      let full = path.components.reduce(start) { $0.appending($1) }
      origins[path.text] = source.origin(of: full)
    }
  }
}
