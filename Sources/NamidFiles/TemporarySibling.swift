import Foundation

/// A file or folder under construction beside its final place, locked by the process filling it.
///
/// The lock vanishes with the process, however that ends: what can be locked by someone else is
/// abandoned and may be deleted. That holds across containers and restarted machines, where
/// process numbers mean nothing.
final class TemporarySibling {
  /// The use of a temporary sibling, and its mark in the name.
  enum Purpose: String {
    /// The new version, not yet complete, or rubbish.
    case partial
    /// The old version, out of the way of the new one.
    case replaced
  }

  let url: URL
  private(set) var descriptor: Int32

  private init(url: URL, descriptor: Int32) {
    self.url = url
    self.descriptor = descriptor
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Makes an empty, locked file or folder beside a target.
  static func create(
    beside target: URL, isFolder: Bool, aftermath: FileError.Aftermath
  ) throws(FileError) -> TemporarySibling {
    while true {
      let url = name(beside: target, .partial)
      let made = isFolder ? makeFolder(url) : openDescriptor(url.path, O_RDWR | O_CREAT | O_EXCL)
      if let code = made.failure {
        // Another process may take a new name for abandoned before it is locked.
        if code == EEXIST || (isFolder && code == ENOENT && FileKind(of: folder(of: url)) != nil) {
          continue
        }
        throw FileError(code: code, .create, target.path, aftermath: aftermath)
      }
      let sibling = TemporarySibling(url: url, descriptor: made.descriptor)
      if sibling.lock() != .takenByOther, sibling.isStillThere { return sibling }
    }
  }

  /// Locks a folder that is about to be replaced.
  static func locking(_ folder: URL) throws(FileError) -> TemporarySibling {
    let opened = openDescriptor(folder.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    if let code = opened.failure { throw FileError(code: code, .rename, folder.path) }
    let sibling = TemporarySibling(url: folder, descriptor: opened.descriptor)
    guard sibling.lock() != .takenByOther, sibling.isStillThere else {
      throw .busy(path: folder.path)
    }
    return sibling
  }

  /// The siblings of a target that no living process holds, each locked while `body` handles it.
  static func forEachAbandoned(
    beside target: URL, _ purpose: Purpose, _ body: (URL) throws(FileError) -> Void
  ) throws(FileError) {
    let prefix = prefix(for: target)
    let suffix = ".\(purpose.rawValue)"
    // Where the folder cannot be listed, what follows fails with a better message or needs no list.
    let siblings = (try? names(in: folder(of: target))) ?? []
    for name in siblings where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
      let unique = name.dropFirst(prefix.count).dropLast(suffix.count)
      guard unique.count == uniqueDigits, unique.allSatisfy(\.isHexDigit) else { continue }
      let url = folder(of: target).appending(path: name)
      // Network file systems lock only what is open for writing, which a folder never is.
      let flags = FileKind(of: url, followingLinks: false) == .folder ? O_RDONLY : O_RDWR
      let opened = openDescriptor(url.path, flags | O_NOFOLLOW)
      guard opened.failure == nil else { continue }
      let sibling = TemporarySibling(url: url, descriptor: opened.descriptor)
      if sibling.lock() == .taken, sibling.isStillThere { try body(url) }
    }
  }

  /// A new name beside a target.
  static func name(beside target: URL, _ purpose: Purpose) -> URL {
    let unique = hexDigits(UInt64.random(in: .min ... .max))
    return folder(of: target).appending(path: "\(prefix(for: target))\(unique).\(purpose.rawValue)")
  }

  /// Hands the open file over to whoever writes it, lock included.
  func takeDescriptor() -> Int32 {
    defer { descriptor = -1 }
    return descriptor
  }

  private static let uniqueDigits = 16

  private static func folder(of url: URL) -> URL { url.deletingLastPathComponent() }

  private static func prefix(for target: URL) -> String {
    // Names have at most 255 bytes, of which the rest of the temporary name needs 28.
    var name = target.lastPathComponent
    if name.utf8.count > 200 {
      name = name.prefix(20) + "-" + SHA256.hexDigest(of: Data(name.utf8)).prefix(16)
    }
    return ".\(name)."
  }

  private static func makeFolder(_ url: URL) -> (descriptor: Int32, failure: Int32?) {
    if let code = failure(of: { mkdir(url.path, 0o777) }) { return (-1, code) }
    return openDescriptor(url.path, O_RDONLY | O_DIRECTORY)
  }

  private func lock() -> LockAttempt { attemptLock(descriptor) }

  /// True while the locked file is still the one that has the name.
  private var isStillThere: Bool {
    var held = stat()
    var named = stat()
    return fstat(descriptor, &held) == 0 && lstat(url.path, &named) == 0
      && held.st_ino == named.st_ino && held.st_dev == named.st_dev
  }
}
