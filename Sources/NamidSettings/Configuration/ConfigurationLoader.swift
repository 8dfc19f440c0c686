import Foundation
import NamidFiles

/// Reads a configuration whose keys, types and defaults are those of one Swift type.
///
/// The type is plain `Codable` with a default for everything; its property names are the keys.
/// Nested structs are groups, enumerations of texts are choices (`CaseIterable` ones are listed in
/// errors), an optional that is nil is written as null and can be set. Enumerations with payloads
/// are not meant for configurations.
///
/// ```swift
/// let configuration = try ConfigurationLoader.load(
///   defaults: TrainingConfiguration(),
///   file: URL(filePath: "train.yaml"),
///   overrides: ["attack.epsilon=8/255", "defense.lambda=5"])
/// ```
public enum ConfigurationLoader<Configuration: Codable> {
  /// Lays a tree, a file and then single values over the defaults.
  ///
  /// - Parameters:
  ///   - defaults: The configuration where nothing else is said.
  ///   - settings: A tree with any subset of the keys.
  ///   - file: A YAML (`.yaml`, `.yml`) or JSON (`.json`) file with any subset of the keys.
  ///   - overrides: Texts of the form `key.path=value`, laid over in their order; values are
  ///     numbers, `true`, `false`, `null`, texts (quoted where they would read as something else),
  ///     lists such as `[1, 2]` or groups such as `{decay: 0.9}`.
  ///   - userInfo: The values that the type's `init(from:)` finds in its decoder, such as a list of choices.
  /// - Returns: The configuration with every value settled.
  /// - Throws: `ConfigurationError`; unknown keys, wrong types and bad values are all refused.
  public static func load(
    defaults: Configuration, settings: JSONValue = [:], file: URL? = nil, overrides: [String] = [],
    userInfo: [CodingUserInfoKey: Any] = [:]
  ) throws -> Configuration {
    var tree = try JSONValue(encoding: defaults).overlaid(with: settings)
    var origins = ConfigurationOrigins()
    if let file {
      let source = try ConfigurationSource(file: file)
      tree = tree.overlaid(with: source.tree)
      origins.note(source)
    }
    for text in overrides {
      let source = try ConfigurationSource(override: text)
      tree = tree.overlaid(with: source.tree)
      origins.note(source)
    }
    return try read(tree, origins, userInfo: userInfo)
  }

  /// Reads a finished tree; an error says where the value was written.
  static func read(
    _ tree: JSONValue, _ origins: ConfigurationOrigins, userInfo: [CodingUserInfoKey: Any] = [:]
  ) throws -> Configuration {
    do {
      let configuration = try tree.decode(
        Configuration.self, unknownKeys: .refused, userInfo: userInfo)
      for (path, value) in try JSONValue(encoding: configuration).descendants() {
        guard case .double(let number) = value, number.isNaN else { continue }
        throw ValueError.badValue(key: path.text, found: value, reason: "expected a number")
      }
      return configuration
    } catch let error as ValueError {
      throw ConfigurationError.refused(error, origin: origins.origin(of: error.key))
    }
  }

  /// Writes a configuration as YAML, in order of declaration, so that loading it gives it back.
  public static func render(_ configuration: Configuration) throws -> String {
    try JSONValue(encoding: configuration).yaml()
  }
}
