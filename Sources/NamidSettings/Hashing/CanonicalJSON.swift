import Foundation
import NamidFiles

/// Writes a value as the one JSON text that all equal values share.
///
/// Names are sorted by their UTF-8 bytes, members that are null are left out (so that an option
/// added later does not change the text of what never used it), numbers have their shortest form
/// and a ``Fraction`` its value instead of its spelling.
///
/// - Parameter value: Any encodable value.
/// - Returns: Compact UTF-8 JSON.
/// - Throws: The errors of encoding the value.
public func canonicalJSON(_ value: some Encodable) throws -> Data {
  try TreeEncoder.tree(of: value, isCanonical: true).canonical.data()
}

/// A short name for everything that a specification says: 16 hexadecimal digits.
///
/// They are the first digits of the SHA-256 of ``canonicalJSON(_:)``.
///
/// - Parameter value: The specification.
/// - Returns: The digits.
/// - Throws: The errors of encoding the value.
public func specificationHash(_ value: some Encodable) throws -> String {
  String(SHA256.hexDigest(of: try canonicalJSON(value)).prefix(16))
}

extension JSONValue {
  fileprivate var canonical: JSONValue {
    switch self {
    case .array(let elements): .array(elements.map(\.canonical))
    case .object(let object):
      .object(
        JSONObject(
          object.filter { $0.value != .null }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { ($0.key, $0.value.canonical) }))
    // Equal numbers, different texts.
    case .double(let value) where value == 0: .double(0)
    default: self
    }
  }
}
