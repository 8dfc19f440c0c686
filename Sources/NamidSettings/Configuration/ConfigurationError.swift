/// A configuration that cannot be used, with the place where the fault was written.
public enum ConfigurationError: Error, Equatable {
  /// A key or value that is refused; the origin is a file and line or an override.
  case refused(ValueError, origin: String?)
  /// A file that is no configuration at all.
  case unreadableFile(path: String, reason: String)
  /// An override that is not of the form `key.path=value`.
  case unreadableOverride(text: String, reason: String)
}

extension ConfigurationError: CustomStringConvertible {
  /// The place, what is wrong and what would be right.
  public var description: String {
    switch self {
    case .refused(let error, let origin): (origin.map { "\($0): " } ?? "") + "\(error)"
    case .unreadableFile(let path, let reason): "\(path): \(reason)"
    case .unreadableOverride(let text, let reason): "override \"\(text)\": \(reason)"
    }
  }
}
