import Foundation

/// Symbolic links that always point somewhere: to the old place, then to the new one.
public enum AtomicLink {
  /// Points a link to a name, making it where it does not exist.
  ///
  /// - Parameters:
  ///   - link: The link. A file or folder of that name is never replaced.
  ///   - name: The target, relative to the link's own folder, as in `epoch-003`.
  /// - Throws: `FileError`, after which the link points where it did before.
  public static func point(_ link: URL, to name: String) throws(FileError) {
    let kind = FileKind(of: link, followingLinks: false)
    guard kind == nil || kind == .link else {
      throw .exists(path: link.path, remedy: "expected a link, move what is there away")
    }
    let folder = link.deletingLastPathComponent()
    // One fixed name: a link left by a process that died is simply taken over.
    let draft = folder.appending(path: ".\(link.lastPathComponent).link")
    while true {
      unlink(draft.path)
      if let code = failure(of: { symlink(name, draft.path) }) {
        if code == EEXIST { continue }
        throw FileError(code: code, .create, link.path)
      }
      guard let code = failure(of: { rename(draft.path, link.path) }) else { break }
      // Another process that points the same link has taken the draft away: once more.
      if code == ENOENT, FileKind(of: folder) == .folder { continue }
      unlink(draft.path)
      throw FileError(code: code, .rename, link.path)
    }
    try syncFolder(folder)
  }
}
