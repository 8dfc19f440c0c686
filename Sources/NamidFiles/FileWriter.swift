import Foundation

/// An open file that is written from front to back.
///
/// Every call goes straight to the system: give it large pieces. A failed write says in its error
/// what became of the file.
public final class FileWriter {
  /// The bytes in the file, those that were there when it was opened included.
  public private(set) var count: Int

  /// The name of the file in errors.
  package let path: String

  private let descriptor: Int32
  private let aftermath: FileError.Aftermath

  /// Takes over an open file; errors name it by `path`, which may be the name it will get.
  init(descriptor: Int32, path: String, count: Int = 0, aftermath: FileError.Aftermath) {
    self.descriptor = descriptor
    self.path = path
    self.count = count
    self.aftermath = aftermath
  }

  deinit { close(descriptor) }

  /// Writes a new file without forcing it onto the disk, as suits a folder that `AtomicDirectory` fills: that forces
  /// all of its files before the folder gets its name.
  ///
  /// - Parameters:
  ///   - url: The file, which must not exist; its folder must.
  ///   - body: Writes the whole content.
  /// - Throws: `FileError` or what `body` throws.
  public static func write(newFile url: URL, _ body: (FileWriter) throws -> Void) throws {
    let opened = openDescriptor(url.path, O_WRONLY | O_CREAT | O_EXCL)
    if let code = opened.failure { throw FileError(code: code, .create, url.path) }
    try body(FileWriter(descriptor: opened.descriptor, path: url.path, aftermath: .none))
  }

  /// Writes bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // The system takes at most 2 GiB at once.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      var written = 0
      let code = failure {
        written = systemWrite(descriptor, piece.baseAddress, piece.count)
        return written < 0 ? -1 : 0
      }
      if let code {
        let needed = count + rest.count
        throw FileError(code: code, .write, path, needed: needed, aftermath: aftermath)
      }
      count += written
      rest = rest.dropFirst(written)
    }
  }

  /// Writes data.
  public func write(_ data: Data) throws(FileError) {
    try data.bytes.withUnsafeBytes { (bytes) throws(FileError) in try write(bytes) }
  }

  /// Writes a text as UTF-8.
  public func write(_ text: String) throws(FileError) { try write(Data(text.utf8)) }

  /// Writes a piece so that either all of it is in the file or none.
  func append(whole data: Data) throws(FileError) {
    let start = count
    do throws(FileError) {
      try write(data)
    } catch {
      // Half a record would spoil the file; where even this fails, readers drop a torn last record.
      try? truncate(to: start)
      throw error
    }
  }

  /// Forces everything written onto the disk.
  func sync() throws(FileError) {
    // What cannot be synced (a pipe, a device) has nothing to lose in a crash.
    if let code = forceOntoDisk(descriptor), code != EINVAL, code != ENOTSUP {
      throw FileError(code: code, .sync, path, needed: count, aftermath: aftermath)
    }
  }

  /// Cuts the file off after some bytes.
  func truncate(to size: Int) throws(FileError) {
    if let code = failure(of: { ftruncate(descriptor, off_t(size)) }) {
      throw FileError(code: code, .truncate, path)
    }
    count = size
  }

  /// Gives the file the access rights of another file, where that exists.
  func copyMode(of url: URL) {
    var status = stat()
    if stat(url.path, &status) == 0 { _ = fchmod(descriptor, status.st_mode & 0o7777) }
  }
}

/// The system's `write`, under a name that the methods above do not hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
