import NamidFiles
import NamidSettings

/// Values by name, in the order in which they were written.
///
/// In a file it is a group; a name whose value is null is left out, so that a preset can remove it.
package struct Named<Value> {
  /// A value with its name.
  package struct Entry {
    /// The name.
    package var name: String
    /// The value.
    package var value: Value
  }

  /// All values in order.
  package private(set) var entries: [Entry] = []

  /// An empty list of names.
  package init() {}

  /// The names in order.
  package var names: [String] { entries.map(\.name) }

  /// True where there are no names.
  package var isEmpty: Bool { entries.isEmpty }

  /// The value of a name; assigning nil removes it.
  package subscript(name: String) -> Value? {
    get { entries.first { $0.name == name }?.value }
    set {
      let place = entries.firstIndex { $0.name == name }
      switch (place, newValue) {
      case (let place?, let value?): entries[place].value = value
      case (let place?, nil): entries.remove(at: place)
      case (nil, let value?): entries.append(Entry(name: name, value: value))
      case (nil, nil): break
      }
    }
  }
}

extension Named: Sendable where Value: Sendable {}
extension Named.Entry: Sendable where Value: Sendable {}
extension Named: Equatable where Value: Equatable {}
extension Named.Entry: Equatable where Value: Equatable {}

extension Named: Codable where Value: Codable {
  /// Reads a group.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    for key in container.allKeys where try !container.decodeNil(forKey: key) {
      self[key.stringValue] = try container.decode(Value.self, forKey: key)
    }
  }

  /// Writes a group.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyKey.self)
    for entry in entries {
      try container.encode(entry.value, forKey: AnyKey(stringValue: entry.name))
    }
  }
}
