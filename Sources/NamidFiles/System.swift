import Foundation
import Synchronization

/// The kind of thing that stands at a path.
package enum FileKind: Equatable {
  /// A plain file, which can be read to its end.
  case file
  /// A folder.
  case folder
  /// A symbolic link.
  case link
  /// A pipe, a socket, a device.
  case other

  /// Looks at a path; a link is taken for what it points to or for itself.
  package init?(of url: URL, followingLinks: Bool = true) {
    var status = stat()
    let result = followingLinks ? stat(url.path, &status) : lstat(url.path, &status)
    guard result == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    case S_IFLNK: self = .link
    default: self = .other
    }
  }
}

/// Calls the system until it is not interrupted by a signal; nil stands for success.
func failure(of call: () -> Int32) -> Int32? {
  while call() == -1 {
    if errno != EINTR { return errno }
  }
  return nil
}

/// Opens a file and gives it to no child process.
func openDescriptor(
  _ path: String, _ flags: Int32, mode: mode_t = 0o666
) -> (descriptor: Int32, failure: Int32?) {
  var descriptor: Int32 = -1
  let code = failure {
    descriptor = open(path, flags | O_CLOEXEC, mode)
    return descriptor
  }
  return (descriptor, code)
}

/// The outcome of an attempt to lock an open file.
enum LockAttempt {
  case taken
  case takenByOther
  case unsupported
}

/// Locks an open file for this process without waiting.
func attemptLock(_ descriptor: Int32) -> LockAttempt {
  guard let code = failure(of: { flock(descriptor, LOCK_EX | LOCK_NB) }) else { return .taken }
  return code == EWOULDBLOCK ? .takenByOther : .unsupported
}

/// The number of times that this process has forced a file or folder onto the disk; tests read it.
package let syncCount = Atomic<Int>(0)

/// Forces an open file or folder onto the disk; nil stands for success.
func forceOntoDisk(_ descriptor: Int32) -> Int32? {
  syncCount.add(1, ordering: .relaxed)
  return failure { fsync(descriptor) }
}

/// Forces a folder's list of names onto the disk.
func syncFolder(_ url: URL) throws(FileError) {
  let opened = openDescriptor(url.path, O_RDONLY | O_DIRECTORY)
  if let code = opened.failure { throw FileError(code: code, .sync, url.path) }
  defer { close(opened.descriptor) }
  // Some network file systems know no such thing for folders; there is nothing to do about that.
  if let code = forceOntoDisk(opened.descriptor), ![EINVAL, ENOTSUP, EBADF].contains(code) {
    throw FileError(code: code, .sync, url.path)
  }
}

/// Moves a file, folder or link to another name of the same file system.
func renamePath(_ source: URL, to target: URL) throws(FileError) {
  if let code = failure(of: { rename(source.path, target.path) }) {
    throw FileError(code: code, .rename, target.path)
  }
}

/// The names in a folder, in no particular order.
func names(in folder: URL) throws(FileError) -> [String] {
  do {
    return try FileManager.default.contentsOfDirectory(atPath: folder.path)
  } catch {
    let cause = (error as? CocoaError)?.underlying as? POSIXError
    throw FileError(code: cause?.code.rawValue ?? EIO, .read, folder.path)
  }
}
