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

extension JSONValue {
  /// Lists the members of a group or the elements of a list, with their paths.
  func children(below path: KeyPathText) -> [(path: KeyPathText, value: JSONValue)] {
    switch self {
    case .object(let object): object.map { (path.appending($0.key), $0.value) }
    case .array(let elements):
      elements.enumerated().map { (path.appending("[\($0.offset)]"), $0.element) }
    default: []
    }
  }

  /// Lists all values below the top with their paths, groups and lists included.
  func descendants(
    below path: KeyPathText = KeyPathText()
  ) -> [(path: KeyPathText, value: JSONValue)] {
    children(below: path).flatMap { [$0] + $0.value.descendants(below: $0.path) }
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
    let valid = tree.objectValue == nil ? nil : requested[path]
    // Without an entry a group was taken whole, by a reader to whom every key is welcome.
    if tree.objectValue != nil && valid == nil { return }
    for (place, value) in tree.children(below: path) {
      if let valid, let key = place.components.last, !valid.contains(key) {
        throw unknown(key, at: path, valid: valid)
      }
      try refuseUnvisited(in: value, at: place)
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
