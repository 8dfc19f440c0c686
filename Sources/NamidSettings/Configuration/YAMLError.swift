import Yams

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
