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
    descriptor = Self.open(folder, name)
    if descriptor >= 0, attemptLock(descriptor) == .takenByOther {
      close(descriptor)
      return nil
    }
  }

  /// Takes a lock of another name, waiting until it is free: for what takes a moment.
  package init(waitingFor folder: URL, named name: String) {
    descriptor = Self.open(folder, name)
    if descriptor >= 0 { _ = failure { flock(descriptor, LOCK_EX) } }
  }

  private static func open(_ folder: URL, _ name: String) -> Int32 {
    openDescriptor(folder.appending(path: name).path, O_RDWR | O_CREAT).descriptor
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
