import Foundation

/// Folders that are replaced as a whole or not at all.
///
/// The new folder is filled beside the old one, forced onto the disk file by file and then takes
/// its name; fill it with `FileWriter.write(newFile:_:)`, so that each file is forced only once. An old folder is first
/// moved aside; a process that dies at that very moment leaves both versions, complete, under hidden names, and
/// ``recover(at:)`` puts the old one back.
public enum AtomicDirectory {
  /// Replaces a folder, or makes it.
  ///
  /// - Parameters:
  ///   - url: The folder; the one around it must exist.
  ///   - fill: Writes the whole new content into the empty folder that it is given.
  /// - Throws: `FileError` or what `fill` throws; then the previous folder is unchanged.
  public static func replace(at url: URL, _ fill: (URL) throws -> Void) throws {
    try recover(at: url)
    let kind = FileKind(of: url, followingLinks: false)
    guard kind == nil || kind == .folder else {
      throw FileError.exists(path: url.path, remedy: "expected a folder, move what is there away")
    }
    let aftermath: FileError.Aftermath = kind == nil ? .nothingWritten : .previousUnchanged
    let draft = try TemporarySibling.create(beside: url, isFolder: true, aftermath: aftermath)
    // The lock must last as long as the work, whatever the optimizer thinks of an unused object.
    defer { withExtendedLifetime(draft) {} }
    do {
      try fill(draft.url)
      try syncTree(draft.url)
      try install(draft.url, at: url)
    } catch {
      try? FileManager.default.removeItem(at: draft.url)
      let fileError = error as? FileError
      throw fileError?.renaming(draft.url, to: url, aftermath: aftermath) ?? error
    }
  }

  /// Deletes a folder so that a kill leaves all of it or, under a hidden name, rubbish.
  ///
  /// - Parameter url: The folder; one that does not exist is fine.
  /// - Throws: `FileError`, after which the folder is unchanged.
  public static func remove(at url: URL) throws(FileError) {
    guard FileKind(of: url, followingLinks: false) != nil else { return }
    try discard(url, beside: url)
    try syncFolder(url.deletingLastPathComponent())
  }

  /// Undoes what a process that died while replacing a folder has left behind.
  ///
  /// Call it before reading a folder that may have been replaced; ``replace(at:_:)`` calls it by
  /// itself. What a living process is working on is left alone.
  ///
  /// - Parameter url: The folder.
  /// - Throws: `FileError` where the old folder cannot be put back.
  public static func recover(at url: URL) throws(FileError) {
    try TemporarySibling.forEachAbandoned(beside: url, .replaced) { (old) throws(FileError) in
      if FileKind(of: url, followingLinks: false) == nil {
        try renamePath(old, to: url)
      } else {
        try discard(old, beside: url)
      }
    }
    try TemporarySibling.forEachAbandoned(beside: url, .partial) { draft in
      try? FileManager.default.removeItem(at: draft)
    }
  }

  private static func install(_ draft: URL, at url: URL) throws(FileError) {
    let parent = url.deletingLastPathComponent()
    guard FileKind(of: url, followingLinks: false) != nil else {
      try renamePath(draft, to: url)
      try syncFolder(parent)
      return
    }
    let lock = try TemporarySibling.locking(url)
    defer { withExtendedLifetime(lock) {} }
    let aside = TemporarySibling.name(beside: url, .replaced)
    try renamePath(url, to: aside)
    do throws(FileError) {
      try renamePath(draft, to: url)
    } catch {
      try? renamePath(aside, to: url)
      throw error
    }
    try syncFolder(parent)
    try discard(aside, beside: url)
  }

  /// Deletes a folder after taking from it every name under which it could pass for complete.
  private static func discard(_ folder: URL, beside target: URL) throws(FileError) {
    let rubbish = TemporarySibling.name(beside: target, .partial)
    try renamePath(folder, to: rubbish)
    // What cannot be deleted now is deleted by the next call.
    try? FileManager.default.removeItem(at: rubbish)
  }

  private static func syncTree(_ folder: URL) throws(FileError) {
    for name in try names(in: folder) {
      let url = folder.appending(path: name)
      switch FileKind(of: url, followingLinks: false) {
      case .folder: try syncTree(url)
      case .file:
        let opened = openDescriptor(url.path, O_RDONLY)
        if let code = opened.failure { throw FileError(code: code, .sync, url.path) }
        defer { close(opened.descriptor) }
        if let code = forceOntoDisk(opened.descriptor) {
          throw FileError(code: code, .sync, url.path)
        }
      default: continue
      }
    }
    try syncFolder(folder)
  }
}
