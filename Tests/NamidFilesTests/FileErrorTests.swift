import Foundation
import NamidTestSupport
import Testing
@testable import NamidFiles

/// Every message about files, word for word.
@Suite struct FileErrorTests {
  private static let codes: [(Int32, String)] = [
    (ENOSPC, "no space left while writing /x (needed 9 bytes): the previous /x is unchanged"),
    (EDQUOT, "no space left while writing /x (needed 9 bytes): the previous /x is unchanged"),
    (
      EFBIG,
      "file size limit reached while writing /x (needed 9 bytes): the previous /x is unchanged"
    ),
    (EACCES, "cannot write /x: permission denied"),
    (EPERM, "cannot write /x: permission denied"),
    (EROFS, "cannot write /x: the file system is read-only"),
    (EISDIR, "cannot write /x: expected a file, found a folder"),
    (ENOTDIR, "cannot reach /x: /x is not a folder"),
    (ENOENT, "cannot write /x: it does not exist"),
    (EIO, "cannot write /x: \(String(cString: strerror(EIO))) (error \(EIO))"),
  ]

  @Test(arguments: codes)
  func errorNumbersAreExplained(code: Int32, expected: String) {
    let error = FileError(code: code, .write, "/x", needed: 9, aftermath: .previousUnchanged)
    #expect("\(error)" == expected)
  }

  private static let others: [(FileError, String)] = [
    (
      .noSpace(path: "/x", needed: nil, aftermath: .nothingWritten),
      "no space left while writing /x: nothing was written"
    ),
    (
      .noSpace(path: "/x", needed: 1, aftermath: .earlierKept),
      "no space left while writing /x (needed 1 bytes): what was written before is kept"
    ),
    (
      .missing(action: .read, path: "/a/b/c", firstMissing: "/a"),
      "cannot read /a/b/c: the folder /a does not exist"
    ),
    (.exists(path: "/x", remedy: "move it"), "/x already exists: move it"),
    (.busy(path: "/x"), "cannot replace /x: another process is replacing it"),
    (
      .overLimit(path: "/x", size: 9, limit: 8), "cannot read /x: expected at most 8 bytes, found 9"
    ),
  ]

  @Test(arguments: others)
  func messagesSayWhatIsLeft(error: FileError, expected: String) {
    #expect("\(error)" == expected)
  }

  @Test func draftsAreCalledByTheirFinalName() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "best")
      let fill = { (draft: URL) throws in
        throw FileError(
          code: ENOSPC, .write, draft.appending(path: "w").path, needed: 9,
          aftermath: .nothingWritten)
      }
      let path = url.appending(path: "w").path
      #expect(throws: FileError.noSpace(path: path, needed: 9, aftermath: .nothingWritten)) {
        try AtomicDirectory.replace(at: url, fill)
      }
      try AtomicDirectory.replace(at: url) { _ in }
      #expect(throws: FileError.noSpace(path: path, needed: 9, aftermath: .previousUnchanged)) {
        try AtomicDirectory.replace(at: url, fill)
      }
    }
  }
}
