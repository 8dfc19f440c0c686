import Foundation

/// Files that are replaced as a whole or not at all.
///
/// The new content is written beside the file, forced onto the disk and then takes the name in one
/// step. Whatever interrupts this, a full disk, a kill or a power cut, there is either the old
/// file or the new one.
public enum AtomicFile {
  /// Replaces a file, or makes it.
  ///
  /// - Parameters:
  ///   - data: The whole new content.
  ///   - url: The file; its folder must exist. A link there is itself replaced.
  /// - Throws: `FileError`, after which the previous file is unchanged.
  public static func write(_ data: Data, to url: URL) throws(FileError) {
    let draft = try Draft(of: url)
    do throws(FileError) {
      try draft.writer.write(data)
      try draft.commit()
    } catch {
      draft.discard()
      throw error
    }
  }

  /// Replaces a file, or makes it, piece by piece.
  ///
  /// - Parameters:
  ///   - url: The file; its folder must exist. A link there is itself replaced.
  ///   - body: Writes the whole new content.
  /// - Throws: `FileError` or what `body` throws; then the previous file is unchanged.
  public static func write(to url: URL, _ body: (FileWriter) throws -> Void) throws {
    let draft = try Draft(of: url)
    do {
      try body(draft.writer)
      try draft.commit()
    } catch {
      draft.discard()
      throw error
    }
  }
}

/// The new version of a file, not yet under its name.
private struct Draft {
  let writer: FileWriter

  private let url: URL
  private let temporary: URL

  init(of url: URL) throws(FileError) {
    let kind = FileKind(of: url, followingLinks: false)
    guard kind != .folder else { throw .isAFolder(action: .write, path: url.path) }
    try TemporarySibling.forEachAbandoned(beside: url, .partial) { unlink($0.path) }
    let aftermath: FileError.Aftermath = kind == nil ? .nothingWritten : .previousUnchanged
    let sibling = try TemporarySibling.create(beside: url, isFolder: false, aftermath: aftermath)
    self.url = url
    temporary = sibling.url
    writer = FileWriter(
      descriptor: sibling.takeDescriptor(), path: url.path, aftermath: aftermath)
    writer.copyMode(of: url)
  }

  func commit() throws(FileError) {
    try writer.sync()
    try renamePath(temporary, to: url)
    try syncFolder(url.deletingLastPathComponent())
  }

  func discard() { unlink(temporary.path) }
}
