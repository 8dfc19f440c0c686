import NamidSettings

/// A group of settings that defenses read, under a key of its own in a run's configuration.
///
/// Several defenses may read one group: NAMID_T reads those of TRADES and of NAMID.
public protocol DefenseSettings: ConfigurationGroup, Hashable, Sendable {
  /// The group's name in configuration files.
  static var key: String { get }
}

/// Groups of settings by their types; one that was never set has its defaults.
public struct SettingsGroups: Equatable, Sendable {
  private var groups: [String: any DefenseSettings] = [:]

  /// Defaults everywhere.
  public init() {}

  /// A group.
  public subscript<Group: DefenseSettings>(_ type: Group.Type) -> Group {
    get { groups[type.key] as? Group ?? Group() }
    set { groups[type.key] = newValue }
  }

  /// Takes over a group of whatever type.
  public mutating func set(_ group: any DefenseSettings) {
    groups[type(of: group).key] = group
  }

  /// The given groups and no others, with defaults where nothing was set.
  public func only(_ types: [any DefenseSettings.Type]) -> SettingsGroups {
    var result = SettingsGroups()
    for type in types { result.set(groups[type.key] ?? type.init()) }
    return result
  }

  /// The groups that were set, by key and in the order of keys.
  public var all: [(key: String, group: any DefenseSettings)] {
    groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// True if both hold the same groups with the same values.
  public static func == (a: SettingsGroups, b: SettingsGroups) -> Bool {
    a.groups.mapValues { AnyHashable($0) } == b.groups.mapValues { AnyHashable($0) }
  }
}
