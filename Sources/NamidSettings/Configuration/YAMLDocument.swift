import NamidFiles
import Yams

/// A YAML text read by the rules of YAML 1.2, with the line of every value.
///
/// Yams resolves plain scalars by the rules of YAML 1.1, where `no` is a truth value, `1e-3` is a
/// text and `1:30` a number; what configurations mean is the core schema of YAML 1.2.
struct YAMLDocument {
  private(set) var tree: JSONValue = .null
  private(set) var lines: [KeyPathText: Int] = [:]
  private var remaining = Self.maximumValues

  /// The largest number of values, which bounds the growth by aliases of aliases.
  private static let maximumValues = 100_000

  init(parsing text: String) throws(YAMLError) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw YAMLError(error, in: text)
    }
    if let root { tree = try value(of: root, at: KeyPathText()) }
  }

  private mutating func value(
    of node: Node, at path: KeyPathText
  ) throws(YAMLError) -> JSONValue {
    remaining -= 1
    guard remaining > 0 else {
      throw YAMLError(reason: "expected at most \(Self.maximumValues) values")
    }
    switch node {
    case .scalar(let scalar):
      return scalar.style == .plain ? plainScalar(scalar.string) : .string(scalar.string)
    case .sequence(let sequence):
      var elements: [JSONValue] = []
      for (index, element) in sequence.enumerated() {
        let path = path.appending("[\(index)]")
        lines[path] = element.mark?.line
        elements.append(try value(of: element, at: path))
      }
      return .array(elements)
    case .mapping(let mapping):
      var object = JSONObject()
      for (keyNode, valueNode) in mapping {
        guard let key = keyNode.scalar?.string else {
          throw YAMLError(
            line: keyNode.mark?.line, reason: "expected names as keys, found a list or group")
        }
        let path = path.appending(key)
        lines[path] = keyNode.mark?.line
        object[key] = try value(of: valueNode, at: path)
      }
      return .object(object)
    case .alias:
      throw YAMLError(reason: "an alias without its anchor")
    }
  }
}

/// Reads an unquoted scalar by the core schema of YAML 1.2.
private func plainScalar(_ text: String) -> JSONValue {
  switch text {
  case "", "~", "null", "Null", "NULL": return .null
  case "true", "True", "TRUE": return .bool(true)
  case "false", "False", "FALSE": return .bool(false)
  case ".nan", ".NaN", ".NAN": return .double(.nan)
  case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
  case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
  default: break
  }
  if text.hasPrefix("0x"), let int = Int(text.dropFirst(2), radix: 16) { return .int(int) }
  if text.hasPrefix("0o"), let int = Int(text.dropFirst(2), radix: 8) { return .int(int) }
  guard text.allSatisfy({ "0123456789.eE+-".contains($0) }), text.contains(where: \.isWholeNumber)
  else { return .string(text) }
  if let int = Int(text) { return .int(int) }
  if let double = Double(text), double.isFinite { return .double(double) }
  return .string(text)
}

extension JSONValue {
  /// Writes the value as YAML in block style, lists of plain values on one line.
  func yaml() throws -> String {
    try Yams.serialize(node: node, width: -1, allowUnicode: true)
  }

  private var node: Node {
    switch self {
    case .null: return Self.plain("null")
    case .bool(let value): return Self.plain(String(value))
    case .int(let value): return Self.plain(String(value))
    case .double(let value):
      if value.isNaN { return Self.plain(".nan") }
      if value.isInfinite { return Self.plain(value > 0 ? ".inf" : "-.inf") }
      return Self.plain(value.description)
    case .string(let value):
      return Self.isUnambiguous(value)
        ? Self.plain(value) : .scalar(.init(value, .implicit, .doubleQuoted))
    case .array(let elements):
      let isFlat = elements.allSatisfy { $0.arrayValue == nil && $0.objectValue == nil }
      return .sequence(.init(elements.map(\.node), .implicit, isFlat ? .flow : .block))
    case .object(let object):
      let pairs = object.map { (JSONValue.string($0.key).node, $0.value.node) }
      return .mapping(.init(pairs, .implicit, pairs.isEmpty ? .flow : .block))
    }
  }

  private static func plain(_ text: String) -> Node { .scalar(.init(text, .implicit, .plain)) }

  /// True for a text that needs no quotes: it starts with a letter or digit, holds nothing with a meaning in
  /// YAML and would not be read as something else, such as a date or a number beyond all bounds.
  private static func isUnambiguous(_ text: String) -> Bool {
    let harmless = text.utf8.allSatisfy { byte in
      let character = Character(Unicode.Scalar(byte))
      return character.isASCII
        && (character.isLetter || character.isNumber || "_-./".contains(character))
    }
    let startsPlainly = text.first.map { $0.isLetter || $0.isNumber || $0 == "/" } ?? false
    let isYAML11Word = ["yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
    let isLikeANumber =
      text.first?.isNumber == true && text.allSatisfy { "0123456789.eE+-_".contains($0) }
    return harmless && startsPlainly && !isYAML11Word && !isLikeANumber
      && plainScalar(text) == .string(text)
  }
}

/// The reason for which a text is not usable YAML, in one line, with its place.
struct YAMLError: Error, CustomStringConvertible {
  var line: Int?
  let reason: String
  var description: String { reason }
}

extension YAMLError {
  /// Says what Yams has found in a text.
  ///
  /// Yams' own descriptions quote the text, all of it for a key that comes twice.
  init(_ error: any Error, in text: String) {
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      self.init(line: mark.line, reason: Self.reason(problem, at: mark, context))
    case .reader(let problem, let offset, _, _):
      let line = offset.map { 1 + text.prefix($0).count(where: \.isNewline) }
      self.init(line: line, reason: problem)
    case .duplicatedKeysInMapping(let keys, let context):
      let key = keys.first ?? ""
      let line = Self.second(key, in: text, after: context.mark) ?? context.mark.line
      let reason = "the key \"\(key)\" comes twice in one group, first in line \(context.mark.line)"
      self.init(line: line, reason: reason)
    default:
      let words = "\(error)".split(whereSeparator: \.isNewline)
      self.init(reason: words.joined(separator: ": "))
    }
  }

  private static func reason(
    _ problem: String, at mark: Mark, _ context: YamlError.Context?
  ) -> String {
    if problem.hasPrefix("Maximum nesting level") { return "lists and groups nest too deeply" }
    guard let context, !context.text.isEmpty else { return problem }
    let place = context.mark.line == mark.line ? "" : " from line \(context.mark.line)"
    return "\(context.text)\(place), \(problem)"
  }

  /// The line in which a key comes again; nil in flow style, where it may be anywhere.
  ///
  /// The keys of a block begin in one column, and nothing else in the block does.
  private static func second(_ key: String, in text: String, after first: Mark) -> Int? {
    let indentation = String(repeating: " ", count: max(0, first.column - 1))
    let starts = ["", "\"", "'"].map { "\(indentation)\($0)\(key)\($0):" }
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let place = lines.indices.dropFirst(first.line).first { place in
      starts.contains { lines[place].hasPrefix($0) }
    }
    return place.map { $0 + 1 }
  }
}
