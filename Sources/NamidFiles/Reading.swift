import Foundation

/// Reads a whole file that must not be larger than expected.
///
/// - Parameters:
///   - url: The file.
///   - limit: The most bytes that a file of this kind can have.
/// - Returns: Its content.
/// - Throws: `FileError`, for a larger file before anything is read.
public func readFile(at url: URL, limit: Int) throws(FileError) -> Data {
  var data = Data()
  try forEachPiece(ofFileAt: url, limit: limit) { data.append(contentsOf: $0) }
  return data
}

/// Reads a file from its start to its end in pieces of at most a megabyte.
///
/// - Parameters:
///   - url: The file.
///   - limit: The most bytes that a file of this kind can have.
///   - body: Called with each piece in turn; the piece is only valid during the call.
/// - Throws: `FileError`, for a larger file before `body` sees a byte too many.
public func forEachPiece(
  ofFileAt url: URL, limit: Int = .max, _ body: (UnsafeRawBufferPointer) -> Void
) throws(FileError) {
  let path = url.path
  let opened = openDescriptor(path, O_RDONLY)
  if let code = opened.failure { throw FileError(code: code, .read, path) }
  defer { close(opened.descriptor) }
  var status = stat()
  let isFile = fstat(opened.descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  if isFile, Int(status.st_size) > limit {
    throw .overLimit(path: path, size: Int(status.st_size), limit: limit)
  }
  // One byte more than the file has: the end shows at once.
  let size = isFile ? min(1 << 20, max(4096, Int(status.st_size) + 1)) : 1 << 20
  var buffer = [UInt8](repeating: 0, count: size)
  var total = 0
  while true {
    var count = 0
    let code = failure {
      count = read(opened.descriptor, &buffer, buffer.count)
      return count < 0 ? -1 : 0
    }
    if let code { throw FileError(code: code, .read, path) }
    if count == 0 { return }
    total += count
    // What is no regular file tells its size only by being read.
    guard total <= limit else { throw .overLimit(path: path, size: total, limit: limit) }
    buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
  }
}

/// Makes a folder and those on the way to it; one that exists is fine.
///
/// - Parameter url: The folder.
/// - Throws: `FileError` that names the file in the way or the folder that cannot be written to.
public func createFolder(at url: URL) throws(FileError) {
  if FileKind(of: url) == .folder { return }
  let parent = url.deletingLastPathComponent()
  if parent.path != url.path, FileKind(of: parent) != .folder { try createFolder(at: parent) }
  guard let code = failure(of: { mkdir(url.path, 0o777) }) else { return }
  guard code == EEXIST else { throw FileError(code: code, .create, url.path) }
  // Made by another process in the meantime is as good as made here.
  if FileKind(of: url) != .folder { throw .notAFolder(path: url.path, obstacle: url.path) }
}

/// The last lines of a text file that are not empty, from its last 8 KB; none of a file that cannot be read.
package func lastLines(of file: URL, count: Int) -> [String] {
  guard let handle = try? FileHandle(forReadingFrom: file), let end = try? handle.seekToEnd()
  else { return [] }
  defer { try? handle.close() }
  try? handle.seek(toOffset: end > 8192 ? end - 8192 : 0)
  let text = String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
  return text.split(whereSeparator: \.isNewline)
    .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }.suffix(count)
}
