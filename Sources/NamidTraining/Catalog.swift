import Foundation
import NamidAttacks
import NamidData
import NamidDefenses
import NamidFiles
import NamidNetworks
import NamidSettings

/// All parts that can be asked for by name: those that come with this library, and those that a package adds.
///
/// ```swift
/// var catalog = Catalog.standard
/// catalog.attacks.append(.mine)
/// let run = try TrainingRun(configuration, in: folder, data: data, catalog: catalog)
/// ```
public struct Catalog: Sendable {
  /// Attacks.
  public var attacks: [AttackEntry]
  /// Defenses, each a way to train.
  public var defenses: [DefenseEntry]
  /// Kinds of network.
  public var architectures: [Architecture]
  /// Sets of images; one's own folders are always known as `folder:PATH`.
  public var datasets: [any DatasetSource]

  /// The parts that come with this library.
  public static let standard = Catalog(
    attacks: AttackEntry.all, defenses: DefenseEntry.all, architectures: Architecture.all,
    datasets: Datasets.all)

  /// A copy with further parts.
  public func adding(
    attacks: [AttackEntry] = [], defenses: [DefenseEntry] = [], architectures: [Architecture] = [],
    datasets: [any DatasetSource] = []
  ) -> Catalog {
    Catalog(
      attacks: self.attacks + attacks, defenses: self.defenses + defenses,
      architectures: self.architectures + architectures, datasets: self.datasets + datasets)
  }

  /// Reads a comma-separated list of attacks such as `clean,pgd-40:restarts=5`.
  ///
  /// - Parameters:
  ///   - text: Names, each with settings after colons.
  ///   - threat: The ball; a name that cannot be held to its norm is an error.
  ///   - say: Called with a line on each setting that is written as in earlier versions.
  /// - Returns: The attacks in the order in which they were written.
  /// - Throws: `AttackListError` for the first name or setting that is wrong.
  public func attacks(
    _ text: String, in threat: ThreatModel, say: (String) -> Void = { _ in }
  ) throws(AttackListError) -> [any Attack] {
    try AttackList.parse(text, threat: threat, among: attacks, say: say)
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

  /// The kind of network of a name; nil for a name that there is not.
  public func architecture(_ name: String) -> Architecture? {
    architectures.first { $0.name == name }
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
      userInfo: userInfo)
  }

  /// The values with which a decoder reads configurations that name parts of this catalog.
  package var userInfo: [CodingUserInfoKey: any Sendable] { [.catalog: self] }
}

extension CodingUserInfoKey {
  /// The parts that a configuration may name, as a `Catalog`.
  static let catalog = CodingUserInfoKey.named("training.catalog")
}
