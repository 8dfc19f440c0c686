import Foundation
import NamidData
import NamidDefenses
import NamidFiles
import NamidNetworks
import NamidSettings

/// All that a run can ask for by name: what comes with this library, and what a package adds to it.
///
/// ```swift
/// var registry = Registry()
/// registry.defenses.append(.mine)
/// let job = try TrainingRun(configuration, in: folder, data: data, registry: registry)
/// ```
public struct Registry: Sendable {
  /// Ways to train.
  public var defenses: [DefenseEntry]
  /// Kinds of network.
  public var architectures: [Architecture]
  /// Sets of images; one's own folders are always known as `folder:PATH`.
  public var datasets: [any DatasetSource]

  /// A registry of the given parts; by default those that come with the library.
  public init(
    defenses: [DefenseEntry] = DefenseEntry.all, architectures: [Architecture] = Architecture.all,
    datasets: [any DatasetSource] = Datasets.all
  ) {
    self.defenses = defenses
    self.architectures = architectures
    self.datasets = datasets
  }

  /// The defense of a name.
  ///
  /// - Throws: `ValueError` with the names that there are.
  public func defense(_ name: DefenseName) throws -> DefenseEntry {
    guard let entry = defenses.first(where: { $0.name == name.rawValue }) else {
      throw ValueError.badChoice(
        key: "defense", found: name.rawValue, choices: defenses.map(\.name))
    }
    return entry
  }

  /// The images of a name.
  ///
  /// - Throws: `DatasetError.unknownName` with the names that there are.
  public func dataset(_ name: String) throws -> any DatasetSource {
    if let source = datasets.first(where: { $0.name == name }) { return source }
    if let own = Datasets.own(name) { return own }
    throw DatasetError.unknownName(name, among: datasets)
  }

  /// The settings of a run: defaults, then a tree, then a file, then single values.
  ///
  /// - Parameters:
  ///   - defaults: The settings below all others.
  ///   - settings: A tree with any subset of the keys.
  ///   - file: A YAML or JSON file with any subset of the keys.
  ///   - overrides: Texts of the form `key.path=value`.
  /// - Returns: The settings, with the groups that the chosen defense reads and no others.
  /// - Throws: `ConfigurationError` naming the key and what would be right.
  public func configuration(
    _ defaults: RunConfiguration = RunConfiguration(), settings: JSONValue = [:], file: URL? = nil,
    overrides: [String] = []
  ) throws -> RunConfiguration {
    try ConfigurationLoader.load(
      defaults: defaults, settings: settings, file: file, overrides: overrides,
      userInfo: [.defenses: defenses])
  }
}

extension CodingUserInfoKey {
  /// The defenses that a configuration may name, as `[DefenseEntry]`.
  static let defenses = CodingUserInfoKey.named("training.defenses")
}
