/// A part of a configuration that knows its defaults and can refuse bad combinations.
///
/// Adopting it is optional. A group that adopts it may be nil by default and then switched on by
/// naming only some of its keys, and its `validate()` runs whenever it has been read.
///
/// ```swift
/// struct WeightAverage: ConfigurationGroup {
///   var decay = 0.999
///   func validate() throws {
///     try require(decay >= 0 && decay < 1, "decay", "must lie in [0, 1)")
///   }
/// }
/// ```
public protocol ConfigurationGroup: Codable {
  /// Makes the group with its defaults.
  init()

  /// Throws for values that cannot work; see ``require(_:_:_:)``.
  func validate() throws
}

extension ConfigurationGroup {
  /// Accepts everything.
  public func validate() throws {}

  /// Refuses a setting unless a condition holds.
  ///
  /// - Parameters:
  ///   - condition: The condition that must hold.
  ///   - key: The setting within this group, by the name it has in files.
  ///   - reason: The requirement in words, as in `must be positive`.
  /// - Throws: `InvalidSetting`, which the reader turns into an error with the full key.
  public func require(_ condition: Bool, _ key: String, _ reason: String) throws {
    if !condition { throw InvalidSetting(key: key, reason: reason) }
  }
}

/// A setting that its group refuses.
public struct InvalidSetting: Error, Equatable, CustomStringConvertible {
  /// The setting within its group.
  public let key: String

  /// The requirement in words.
  public let reason: String

  /// Makes the refusal of a setting.
  public init(key: String, reason: String) {
    self.key = key
    self.reason = reason
  }

  /// The setting and what is required of it.
  public var description: String { "\(key) \(reason)" }
}
