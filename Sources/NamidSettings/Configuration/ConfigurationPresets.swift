import Foundation
import NamidFiles

/// A configuration read from a file that holds variants of itself, and that may extend another file.
public struct ConfigurationWithPresets<Configuration: Codable> {
  /// The configuration with every value settled.
  public let configuration: Configuration
  /// The place where its values were written.
  public let origins: ConfigurationOrigins

  /// Reads a file and lays one of its presets over the rest of it.
  ///
  /// Presets stand under the key `presets` by name; each holds any subset of the configuration's own keys. The key
  /// `extends` names another file in the same folder. The order is: the defaults, the other file, this one, then the
  /// preset of that name in the other file and in this one.
  ///
  /// A group at the top may be written as a list. It keeps the members that the list names, in that order, and no
  /// others; an element `name: value` adds a member or changes one. Null for a member removes it where the
  /// configuration's type reads null so. A member that a file leaves out leaves the presets of the file that it
  /// extends, too.
  ///
  /// - Parameters:
  ///   - defaults: The configuration where nothing else is said.
  ///   - file: A YAML or JSON file with any subset of the keys.
  ///   - preset: The preset; nil for the file without one.
  /// - Throws: `ConfigurationError`; unknown keys and presets, wrong types and bad values are all refused, and files
  ///   that extend each other.
  public init(defaults: Configuration, file: URL, preset: String? = nil) throws {
    var layers = ConfigurationLayers(
      tree: try JSONValue(encoding: defaults),
      origins: ConfigurationOrigins(whole: file.relativePath))
    for source in try ConfigurationLayers.files(from: file) {
      try layers.lay(file: source, preset: preset)
    }
    if let preset { try layers.layPresets(named: preset) }
    configuration = try ConfigurationLoader<Configuration>.read(layers.tree, layers.origins)
    origins = layers.origins
  }
}

/// Files, and then their presets, laid over each other.
private struct ConfigurationLayers {
  private static let presetsKey = "presets"
  private static let extendsKey = "extends"

  private(set) var tree: JSONValue
  private(set) var origins: ConfigurationOrigins
  private var presets: [ConfigurationSource] = []
  private var presetNames: [String] = []
  /// The file that was laid last.
  private var top: ConfigurationSource?

  init(tree: JSONValue, origins: ConfigurationOrigins) {
    self.tree = tree
    self.origins = origins
  }

  /// Reads a file and all that it extends, the lowest first.
  static func files(from file: URL) throws -> [ConfigurationSource] {
    var files = [file]
    var sources = [try ConfigurationSource(file: file)]
    while let value = sources[0].tree[extendsKey] {
      let key = KeyPathText([extendsKey])
      guard let name = value.stringValue, !name.isEmpty, !name.contains("/") else {
        throw sources[0].refusal(
          .wrongType(
            key: key.text, expected: "the name of a file in the same folder", found: value), key)
      }
      let names = files.map(\.lastPathComponent)
      guard !names.contains(name) else {
        throw sources[0].refusal(
          .badValue(
            key: key.text, found: value,
            reason:
              "files extend each other: \((names.reversed() + [name]).joined(separator: ", "))"
          ), key)
      }
      files.insert(file.deletingLastPathComponent().appending(path: name), at: 0)
      sources.insert(try ConfigurationSource(file: files[0]), at: 0)
    }
    return sources
  }

  /// Lays a file over those before it; its preset is kept for later.
  mutating func lay(file: ConfigurationSource, preset: String?) throws {
    var own = file.tree.objectValue ?? JSONObject()
    let variants = own[Self.presetsKey] ?? [:]
    own[Self.presetsKey] = nil
    own[Self.extendsKey] = nil
    guard let variants = variants.objectValue else {
      let key = KeyPathText([Self.presetsKey])
      throw file.refusal(
        .wrongType(key: key.text, expected: "a group of presets", found: variants), key)
    }
    var values = file
    values.tree = .object(own)
    let removed = try lay(values, refusingIdleRemovals: top != nil)
    for place in presets.indices { presets[place].tree.removeMembers(where: removed) }
    top = file
    presetNames += variants.keys.filter { !presetNames.contains($0) }
    guard let preset, let overlay = variants[preset] else { return }
    guard overlay.objectValue != nil else {
      let key = KeyPathText([Self.presetsKey, preset])
      throw file.refusal(
        .wrongType(key: key.text, expected: "a group of keys", found: overlay), key)
    }
    presets.append(file.part(Self.presetsKey, preset))
  }

  /// Lays the presets of all files over them.
  mutating func layPresets(named name: String) throws {
    if let top, presets.isEmpty {
      let key = KeyPathText([Self.presetsKey])
      throw top.refusal(.badChoice(key: key.text, found: name, choices: presetNames), key)
    }
    for preset in presets { _ = try lay(preset, refusingIdleRemovals: true) }
  }

  /// Lays a source over the tree.
  ///
  /// - Returns: A condition that holds for members of groups that the source removes.
  private mutating func lay(
    _ source: ConfigurationSource, refusingIdleRemovals: Bool
  ) throws -> (_ group: String, _ member: String) -> Bool {
    var source = source
    let selections = try source.expandLists(over: tree)
    origins.note(source)
    let overlay = source.tree
    if refusingIdleRemovals {
      do throws(ValueError) {
        try overlay.refuseIdleRemovals(from: tree, at: KeyPathText())
      } catch {
        throw ConfigurationError.refused(error, origin: origins.origin(of: error.key))
      }
    }
    var object = tree.overlaid(with: overlay).objectValue ?? JSONObject()
    for (key, names) in selections {
      let members = names.map { (key: $0, value: object[key]?[$0] ?? .null) }
      object[key] = .object(JSONObject(members))
    }
    tree = .object(object)
    return { group, member in
      selections[group]?.contains(member) == false || overlay[group]?[member] == JSONValue.null
    }
  }
}

extension JSONValue {
  /// Removes members of the groups at the top for which a condition holds.
  fileprivate mutating func removeMembers(
    where isRemoved: (_ group: String, _ member: String) -> Bool
  ) {
    guard case .object(var object) = self else { return }
    for (key, value) in object {
      guard let members = value.objectValue else { continue }
      object[key] = .object(JSONObject(members.filter { !isRemoved(key, $0.key) }))
    }
    self = .object(object)
  }

  /// Throws for a null whose key is not there to be removed: most likely its name is misspelt.
  fileprivate func refuseIdleRemovals(
    from base: JSONValue, at path: KeyPathText
  ) throws(ValueError) {
    guard case .object(let overlay) = self, case .object(let object) = base else { return }
    for (key, value) in overlay {
      let path = path.appending(key)
      if let below = object[key] {
        try value.refuseIdleRemovals(from: below, at: path)
      } else if value == .null {
        throw .unknownKey(
          key: path.text, suggestion: nearest(key, among: object.keys), valid: object.keys)
      }
    }
  }
}
