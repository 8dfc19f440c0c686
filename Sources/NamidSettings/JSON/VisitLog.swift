import NamidFiles

/// The way from the top of a tree to a value, as people write it.
struct KeyPathText: Hashable {
  let components: [String]

  init() { components = [] }

  init(_ components: some Sequence<String>) { self.components = Array(components) }

  /// The components joined as in `attacks[1].steps`.
  var text: String {
    components.reduce("") { text, component in
      text.isEmpty || component.hasPrefix("[") ? text + component : "\(text).\(component)"
    }
  }

  func appending(_ component: String) -> KeyPathText {
    KeyPathText(components + [component])
  }
}

/// A record of the keys that a reader asked for, group by group: the only full account of valid keys.
final class VisitLog {
  private var requested: [KeyPathText: [String]] = [:]
  private var order: [KeyPathText] = []

  /// Notes that the value at a path was read as a group.
  func note(_ path: KeyPathText) {
    if requested[path] == nil {
      requested[path] = []
      order.append(path)
    }
  }

  /// Notes that a key of a group was asked for.
  func note(_ path: KeyPathText, _ key: String) {
    note(path)
    if requested[path]?.contains(key) == false { requested[path]?.append(key) }
  }

  /// Throws for the first key of the tree that nobody asked for.
  func refuseUnvisited(in tree: JSONValue) throws {
    try refuseUnvisited(in: tree, at: KeyPathText())
  }

  private func refuseUnvisited(in tree: JSONValue, at path: KeyPathText) throws {
    switch tree {
    case .object(let object):
      // Without an entry the group was taken whole, by a reader to whom every key is welcome.
      guard let valid = requested[path] else { return }
      for (key, value) in object {
        guard valid.contains(key) else { throw unknown(key, at: path, valid: valid) }
        try refuseUnvisited(in: value, at: path.appending(key))
      }
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        try refuseUnvisited(in: element, at: path.appending("[\(index)]"))
      }
    default: return
    }
  }

  /// Suggests a neighbour of the unknown key or, failing that, a key of its name elsewhere.
  private func unknown(_ key: String, at path: KeyPathText, valid: [String]) -> ValueError {
    var suggestion = nearest(key, among: valid).map { path.appending($0).text }
    if suggestion == nil {
      let elsewhere = order.first { requested[$0]?.contains(key) == true }
      suggestion = elsewhere?.appending(key).text
    }
    return .unknownKey(key: path.appending(key).text, suggestion: suggestion, valid: valid)
  }
}
