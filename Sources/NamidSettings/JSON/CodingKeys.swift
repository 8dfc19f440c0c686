extension CodingUserInfoKey {
  /// Present where a value is encoded for hashing, so that equal values must give equal text.
  static let isCanonical = CodingUserInfoKey.named("records.isCanonical")

  /// The key of any text.
  package static func named(_ name: String) -> CodingUserInfoKey {
    guard let key = CodingUserInfoKey(rawValue: name) else {
      preconditionFailure("expected any text to be a user info key, \"\(name)\" was refused")
    }
    return key
  }
}

/// A coding key made of any text or index.
package struct AnyKey: CodingKey {
  package let stringValue: String
  package let intValue: Int?

  package init(stringValue: String) {
    self.stringValue = stringValue
    self.intValue = nil
  }

  package init(intValue: Int) { self.init(intValue) }

  init(_ index: Int) {
    self.stringValue = String(index)
    self.intValue = index
  }
}
