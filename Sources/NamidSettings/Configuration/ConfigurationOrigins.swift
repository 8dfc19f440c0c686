import NamidFiles

/// The places where the values of a configuration were written, so that errors can say so.
public struct ConfigurationOrigins: Sendable {
  private var origins: [String: String] = [:]
  /// The place for keys that nobody has written; nil where there may be several.
  private let whole: String?

  /// An empty record of origins.
  init(whole: String? = nil) {
    self.whole = whole
  }

  /// The origin of a key, such as `train.yaml:3`, or of the nearest group around it that was written somewhere.
  ///
  /// - Parameter key: The key in full, as in `defense.lambda` or `attacks[1].steps`.
  /// - Returns: The origin; for what was not written, the one file that is read, or nil.
  public func origin(of key: String) -> String? {
    var key = Substring(key)
    while !key.isEmpty {
      if let origin = origins[String(key)] { return origin }
      let end = key.lastIndex { $0 == "." || $0 == "[" }
      key = end.map { key[..<$0] } ?? ""
    }
    return whole
  }

  /// Notes the values of a source.
  mutating func note(_ source: ConfigurationSource) {
    for (path, _) in source.tree.descendants() { origins[path.text] = source.origin(of: path) }
  }
}
