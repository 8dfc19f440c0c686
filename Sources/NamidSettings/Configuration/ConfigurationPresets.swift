import Foundation
import NamidFiles

/// A configuration read from a file that holds variants of itself.
public struct ConfigurationWithPresets<Configuration: Codable> {
  /// The configuration with every value settled.
  public let configuration: Configuration
  /// The place where its values were written.
  public let origins: ConfigurationOrigins

  private static var key: String { "presets" }

  /// Reads a file and lays one of its presets over the rest of it.
  ///
  /// Presets stand under the key `presets` by name; each holds any subset of the configuration's own keys. Null for
  /// a named member of a group removes it where the configuration's type reads null so.
  ///
  /// - Parameters:
  ///   - defaults: The configuration where nothing else is said.
  ///   - file: A YAML or JSON file with any subset of the keys.
  ///   - preset: The preset; nil for the file without one.
  /// - Throws: `ConfigurationError`; unknown keys and presets, wrong types and bad values are all refused.
  public init(defaults: Configuration, file: URL, preset: String? = nil) throws {
    let source = try ConfigurationSource(file: file)
    var origins = ConfigurationOrigins(whole: file.relativePath)
    origins.note(source)
    var own = source.tree.objectValue ?? JSONObject()
    let variants = own[Self.key] ?? [:]
    own[Self.key] = nil
    guard let variants = variants.objectValue else {
      throw ConfigurationError.refused(
        .wrongType(key: Self.key, expected: "a group of presets", found: variants),
        origin: origins.origin(of: Self.key))
    }
    var tree = try JSONValue(encoding: defaults).overlaid(with: .object(own))
    if let preset {
      let key = "\(Self.key).\(preset)"
      guard let overlay = variants[preset] else {
        throw ConfigurationError.refused(
          .badChoice(key: Self.key, found: preset, choices: variants.keys),
          origin: origins.origin(of: Self.key))
      }
      guard overlay.objectValue != nil else {
        throw ConfigurationError.refused(
          .wrongType(key: key, expected: "a group of keys", found: overlay),
          origin: origins.origin(of: key))
      }
      origins.note(source, below: [Self.key, preset])
      do throws(ValueError) {
        try overlay.refuseIdleRemovals(from: tree, at: KeyPathText())
      } catch {
        throw ConfigurationError.refused(error, origin: origins.origin(of: error.key))
      }
      tree = tree.overlaid(with: overlay)
    }
    configuration = try ConfigurationLoader<Configuration>.read(tree, origins)
    self.origins = origins
  }
}

extension JSONValue {
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
