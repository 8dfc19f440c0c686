import Foundation

/// A file that is read in pieces at any place; none of it stays in memory.
///
/// A file that is cut off while it is open makes reading fail; it does not end the program, as a mapped file would.
public final class RandomAccessFile: @unchecked Sendable {
  /// Its path, for messages.
  public let path: String
  /// Its size in bytes when it was opened.
  public let count: Int
  private let descriptor: Int32

  /// Opens a regular file.
  ///
  /// - Throws: `FileError`, also for what is no regular file.
  public init(_ url: URL) throws(FileError) {
    path = url.path
    let opened = openDescriptor(path, O_RDONLY)
    if let code = opened.failure { throw FileError(code: code, .read, path) }
    var status = stat()
    let code = failure { fstat(opened.descriptor, &status) }
    guard code == nil, status.st_mode & S_IFMT == S_IFREG else {
      close(opened.descriptor)
      throw FileError(
        code: code ?? (status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL), .read, path)
    }
    descriptor = opened.descriptor
    count = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// The bytes of a range, which must lie within the file.
  ///
  /// - Throws: `FileError` where the file cannot be read or has become shorter.
  public func read(_ range: Range<Int>) throws(FileError) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) bytes")
    var problem: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
      problem = fill(UnsafeMutableRawBufferPointer(buffer), from: range.lowerBound)
      filled = problem == nil ? range.count : 0
    }
    if let problem { throw problem }
    return bytes
  }

  /// Fills a buffer with the bytes from a place on; the error that prevented it, or nil.
  func fill(_ buffer: UnsafeMutableRawBufferPointer, from start: Int) -> FileError? {
    var filled = 0
    while filled < buffer.count {
      var read = 0
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let code = failure {
        read = pread(descriptor, rest.baseAddress, rest.count, off_t(start + filled))
        return read < 0 ? -1 : 0
      }
      // A file that ends early has been cut off since it was opened.
      if let code { return FileError(code: code, .read, path) }
      if read == 0 { return FileError(code: EIO, .read, path) }
      filled += read
    }
    return nil
  }
}
