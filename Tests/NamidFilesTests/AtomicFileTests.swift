import Foundation
import NamidTestSupport
import Testing
@testable import NamidFiles

@Suite struct AtomicFileTests {
  private struct Stop: Error {}

  @Test func writesAndReplaces() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "state.json")
      try AtomicFile.write(Data("one".utf8), to: url)
      #expect(try text(of: url) == "one")
      try AtomicFile.write(to: url) { writer in
        try writer.write("two")
        try writer.write(Data([0x20]))
        try writer.write("three")
        #expect(writer.count == 9)
        // Until the end the old file is there, whole.
        #expect(try text(of: url) == "one")
      }
      #expect(try text(of: url) == "two three")
      #expect(try sortedNames(in: folder) == ["state.json"])
    }
  }

  @Test func keepsTheAccessRightsOfTheFile() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "a")
      try AtomicFile.write(Data(), to: url)
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: url.path)
      try AtomicFile.write(Data("x".utf8), to: url)
      let rights = try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions]
      #expect((rights as? NSNumber)?.intValue == 0o640)
    }
  }

  @Test func aFailureInTheMiddleChangesNothing() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "a")
      try AtomicFile.write(Data("old".utf8), to: url)
      #expect(throws: Stop.self) {
        try AtomicFile.write(to: url) { writer in
          try writer.write("half of the n")
          throw Stop()
        }
      }
      #expect(try text(of: url) == "old")
      #expect(try sortedNames(in: folder) == ["a"])
    }
  }

  @Test func namesOfEveryLengthWork() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: String(repeating: "ü", count: 127))
      try AtomicFile.write(Data("x".utf8), to: url)
      try AtomicFile.write(Data("y".utf8), to: url)
      #expect(try text(of: url) == "y")
      #expect(try sortedNames(in: folder).count == 1)
    }
  }

  @Test func aFileWhereAFolderIsNeeded() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "file")
      try AtomicFile.write(Data(), to: file)
      let target = file.appending(path: "deep/a")
      let error = FileError.notAFolder(path: target.path, obstacle: file.path)
      #expect(throws: error) { try AtomicFile.write(Data(), to: target) }
      #expect("\(error)" == "cannot reach \(target.path): \(file.path) is not a folder")
    }
  }

  @Test func aMissingFolderIsNamed() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending(path: "a/b/c")
      let missing = folder.appending(path: "a").path
      #expect(
        throws: FileError.missing(action: .create, path: target.path, firstMissing: missing)
      ) { try AtomicFile.write(Data(), to: target) }
      try createFolder(at: target.deletingLastPathComponent())
      try AtomicFile.write(Data(), to: target)
    }
  }

  @Test func aFolderIsNotReplacedByAFile() throws {
    try withTemporaryFolder { folder in
      #expect(throws: FileError.isAFolder(action: .write, path: folder.path)) {
        try AtomicFile.write(Data(), to: folder)
      }
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullDeviceIsNamed() throws {
    let opened = openDescriptor("/dev/full", O_WRONLY)
    #expect(opened.failure == nil)
    let writer = FileWriter(
      descriptor: opened.descriptor, path: "w.safetensors", aftermath: .previousUnchanged)
    let text = message { try writer.write(Data(count: 1000)) }
    #expect(
      text == "no space left while writing w.safetensors (needed 1000 bytes): "
        + "the previous w.safetensors is unchanged")
  }

  @Test func leavesOtherFilesAlone() throws {
    try withTemporaryFolder { folder in
      let mine = [".a.partial", ".a.0123.partial", ".b.0123456789abcdef.partial", "a.partial"]
      for name in mine { try Data().write(to: folder.appending(path: name)) }
      try Data().write(to: folder.appending(path: ".a.0123456789abcdef.partial"))
      try AtomicFile.write(Data(), to: folder.appending(path: "a"))
      #expect(try sortedNames(in: folder) == (mine + ["a"]).sorted())
    }
  }

  @Test func boundedReading() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "a")
      try AtomicFile.write(Data(count: 100), to: url)
      #expect(try readFile(at: url, limit: 100).count == 100)
      #expect(throws: FileError.overLimit(path: url.path, size: 100, limit: 99)) {
        try readFile(at: url, limit: 99)
      }
      #expect(throws: FileError.isAFolder(action: .read, path: folder.path)) {
        try readFile(at: folder, limit: 10)
      }
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/zero")))
  func endlessFilesAreBoundedToo() {
    #expect(throws: FileError.self) {
      try readFile(at: URL(filePath: "/dev/zero"), limit: 3 << 20)
    }
  }

  @Test func foldersAreMadeOnce() throws {
    try withTemporaryFolder { folder in
      let deep = folder.appending(path: "a/b/c", directoryHint: .isDirectory)
      try createFolder(at: deep)
      try createFolder(at: deep)
      #expect(FileKind(of: deep) == .folder)
      let file = deep.appending(path: "f")
      try AtomicFile.write(Data(), to: file)
      #expect(throws: FileError.notAFolder(path: file.path, obstacle: file.path)) {
        try createFolder(at: file)
      }
    }
  }
}
