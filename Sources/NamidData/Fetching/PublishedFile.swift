import Foundation
import NamidFiles

/// A file as its makers published it.
public struct PublishedFile: Sendable, Equatable {
  /// A checksum to compare a file by.
  public enum Digest: Sendable, Equatable {
    /// SHA-256 of the file.
    case sha256(String)
    /// MD5 of the file: what some makers publish. It tells copies apart, not forgeries.
    case md5(String)
    /// SHA-256 and length of what a gzip file holds: distributors pack the same content anew.
    case unpackedSHA256(String, bytes: Int)
  }

  /// The file's name in the set's folder.
  public let name: String
  /// The checksum that it must have.
  public let digest: Digest

  /// Names a file and its checksum.
  public init(name: String, digest: Digest) {
    self.name = name
    self.digest = digest
  }

  /// Compares a file.
  ///
  /// - Parameter file: The file.
  /// - Throws: `DatasetError.checksumMismatch`, or why it cannot be read.
  public func check(_ file: URL) throws {
    let data = try Files.read(file, limit: 1 << 30)
    let expected: String
    let found: String
    switch digest {
    case .sha256(let value):
      (expected, found) = (value, SHA256.hexDigest(of: data))
    case .md5(let value):
      (expected, found) = (value, MD5.hexDigest(of: data))
    case .unpackedSHA256(let value, let bytes):
      let content: [UInt8]
      do {
        content = try Gzip.isGzip(data) ? Gzip.inflate(data, limit: bytes) : [UInt8](data)
      } catch let error as ImagingError {
        throw DatasetError.unreadable(file: file.path, reason: error.description)
      }
      (expected, found) = (value, SHA256.hexDigest(of: Data(content)))
    }
    guard expected == found else {
      throw DatasetError.checksumMismatch(file: file.path, expected: expected, found: found)
    }
  }
}
