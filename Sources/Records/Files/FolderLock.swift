import Foundation

/// A lock that one process holds on a folder, however that process ends.
package final class FolderLock {
  /// The file that is locked where no other is named.
  package static let fileName = "lock"

  private let descriptor: Int32

  /// Takes the lock; nil while another process holds it.
  ///
  /// File systems without locks are trusted: there, two processes would only do the same work twice.
  package init?(_ folder: URL, named name: String = FolderLock.fileName) {
    let path = folder.appending(path: name).path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      return nil
    }
  }

  /// Takes a lock of another name, waiting until it is free: for what takes a moment.
  package init(waitingFor folder: URL, named name: String) {
    descriptor = open(folder.appending(path: name).path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return }
    while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
