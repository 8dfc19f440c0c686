import Foundation
import NamidFiles

/// A digest of files' names, sizes and times of change, and nothing of their content.
///
/// The folder is not part of the digest, since folders are moved; the purpose is, so that the digest serves no other.
func fileDigest(_ paths: [String], below root: URL, for purpose: String) throws -> String {
  var hash = SHA256()
  func add(_ text: String) {
    var text = text
    text.withUTF8 { hash.update(UnsafeRawBufferPointer($0)) }
  }
  // A name may hold any byte but zero.
  add(purpose + "\0")
  let folder = root.path + "/"
  for path in paths {
    var status = stat()
    guard stat(folder + path, &status) == 0 else {
      throw DatasetError.unreadable(
        file: folder + path, reason: String(cString: strerror(errno)))
    }
    #if canImport(Darwin)
      let changed = status.st_mtimespec
    #else
      let changed = status.st_mtim
    #endif
    add("\(path)\0\(status.st_size) \(changed.tv_sec) \(changed.tv_nsec)\0")
  }
  return hash.hexDigest()
}
