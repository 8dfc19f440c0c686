import CNamidDigest
import Foundation

/// The hash function SHA-256 (FIPS 180-4), for naming specifications and checking files.
///
/// ```swift
/// SHA256.hexDigest(of: Data("abc".utf8))  // "ba7816bf8f01cfea…"
/// ```
public struct SHA256: Sendable {
  private var hash = namid_sha256()

  /// Starts a hash of nothing.
  public init() { namid_sha256_begin(&hash) }

  /// The digest of data as 64 hexadecimal digits.
  public static func hexDigest(of data: Data) -> String {
    var hash = SHA256()
    data.withUnsafeBytes { hash.update($0) }
    return hash.hexDigest()
  }

  /// The digest of a file of any size as 64 hexadecimal digits.
  ///
  /// - Parameter url: The file.
  /// - Returns: The digits, in lower case.
  /// - Throws: `FileError` where it cannot be read.
  public static func hexDigest(ofFileAt url: URL) throws(FileError) -> String {
    var hash = SHA256()
    try forEachPiece(ofFileAt: url) { hash.update($0) }
    return hash.hexDigest()
  }

  /// Appends bytes to what is hashed.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    namid_sha256_add(&hash, bytes.baseAddress, bytes.count)
  }

  /// The digest of everything so far as 64 hexadecimal digits.
  public func hexDigest() -> String {
    var copy = hash
    var digest = [UInt8](repeating: 0, count: 32)
    namid_sha256_end(&copy, &digest)
    return hexadecimal(digest)
  }
}

/// MD5 (RFC 1321), for the checksums that makers of older sets published.
package enum MD5 {
  /// The digest of data as 32 hexadecimal digits.
  package static func hexDigest(of data: Data) -> String {
    var digest = [UInt8](repeating: 0, count: 16)
    data.withUnsafeBytes { namid_md5($0.baseAddress, $0.count, &digest) }
    return hexadecimal(digest)
  }
}

private func hexadecimal(_ bytes: [UInt8]) -> String { bytes.map { hexDigits($0) }.joined() }

/// All hexadecimal digits of a number, leading zeros included.
package func hexDigits(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: value.bitWidth / 4 - digits.count) + digits
}
