import Foundation
import NamidTestSupport
import Testing

@testable import NamidFiles

@Suite struct AtomicDirectoryTests {
  private struct Stop: Error {}

  private func fill(_ text: String) -> (URL) throws -> Void {
    { folder in
      try createFolder(at: folder.appending(path: "deep"))
      try Data(text.utf8).write(to: folder.appending(path: "deep/state"))
    }
  }

  private func state(_ folder: URL) throws -> String {
    try text(of: folder.appending(path: "deep/state"))
  }

  @Test func makesAndReplaces() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "best", directoryHint: .isDirectory)
      try AtomicDirectory.replace(at: url, fill("one"))
      #expect(try state(url) == "one")
      try AtomicDirectory.replace(at: url) { draft in
        try fill("two")(draft)
        try Data().write(to: draft.appending(path: "more"))
        // Until the end the old folder is there, whole.
        #expect(try state(url) == "one")
      }
      #expect(try state(url) == "two")
      try AtomicDirectory.replace(at: url, fill("three"))
      #expect(try sortedNames(in: url) == ["deep"])
      #expect(try sortedNames(in: folder) == ["best"])
    }
  }

  /// In a process of its own: other tests force files onto the disk too.
  @Test func everyFileIsForcedOntoTheDiskOnce() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        try AtomicDirectory.replace(at: folder.appending(path: "new")) { draft in
          for name in ["a", "b", "c"] {
            try FileWriter.write(newFile: draft.appending(path: name)) { try $0.write(name) }
          }
        }
      }
      // Three files, their folder and the folder around it.
      let count = syncCount.load(ordering: .relaxed)
      try #require(count == 5)
      exit(EXIT_SUCCESS)
    }
  }

  @Test func aFailureInTheMiddleChangesNothing() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "best")
      try AtomicDirectory.replace(at: url, fill("old"))
      #expect(throws: Stop.self) {
        try AtomicDirectory.replace(at: url) { draft in
          try fill("new")(draft)
          throw Stop()
        }
      }
      #expect(try state(url) == "old")
      #expect(try sortedNames(in: folder) == ["best"])
    }
  }

  @Test func aFileIsNotReplaced() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "a")
      try AtomicFile.write(Data("mine".utf8), to: url)
      #expect(throws: FileError.self) { try AtomicDirectory.replace(at: url, fill("new")) }
      #expect(try text(of: url) == "mine")
      #expect(try sortedNames(in: folder) == ["a"])
    }
  }

  @Test func anOldFolderLeftAsideIsPutBack() throws {
    try withTemporaryFolder { folder in
      // The state after a kill between the two renames.
      let url = folder.appending(path: "best")
      try AtomicDirectory.replace(at: url, fill("old"))
      try renamePath(url, to: TemporarySibling.name(beside: url, .replaced))
      let draft = TemporarySibling.name(beside: url, .partial)
      try createFolder(at: draft)
      try fill("new")(draft)

      try AtomicDirectory.recover(at: url)
      #expect(try state(url) == "old")
      #expect(try sortedNames(in: folder) == ["best"])
    }
  }

  @Test func anOldFolderLeftBesideTheNewOneIsDeleted() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "best")
      try AtomicDirectory.replace(at: url, fill("new"))
      let old = TemporarySibling.name(beside: url, .replaced)
      try createFolder(at: old)
      try AtomicDirectory.recover(at: url)
      #expect(try state(url) == "new")
      #expect(try sortedNames(in: folder) == ["best"])
    }
  }

  @Test func removingLeavesNothing() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "epoch-001")
      try AtomicDirectory.remove(at: url)
      try AtomicDirectory.replace(at: url, fill("old"))
      try AtomicDirectory.remove(at: url)
      #expect(try sortedNames(in: folder) == [])
      // The rubbish of a removal that was cut short never comes back.
      let rubbish = TemporarySibling.name(beside: url, .partial)
      try createFolder(at: rubbish)
      try AtomicDirectory.recover(at: url)
      #expect(try sortedNames(in: folder) == [])
    }
  }

  @Test func whatALivingProcessFillsIsLeftAlone() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "best")
      let living = try TemporarySibling.create(
        beside: url, isFolder: true, aftermath: .nothingWritten)
      try AtomicDirectory.replace(at: url, fill("mine"))
      #expect(try sortedNames(in: folder) == [living.url.lastPathComponent, "best"].sorted())
      let replacing = try TemporarySibling.locking(url)
      #expect(throws: FileError.busy(path: url.path)) {
        try AtomicDirectory.replace(at: url, fill("other"))
      }
      #expect(try state(url) == "mine")
      withExtendedLifetime((living, replacing)) {}
    }
  }

  @Test func linksSwitchInOneStep() throws {
    try withTemporaryFolder { folder in
      let link = folder.appending(path: "latest")
      try AtomicDirectory.replace(at: folder.appending(path: "epoch-001"), fill("one"))
      try AtomicDirectory.replace(at: folder.appending(path: "epoch-002"), fill("two"))
      try AtomicLink.point(link, to: "epoch-001")
      #expect(try state(link) == "one")
      // A draft left by a process that died is taken over.
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: ".latest.link").path, withDestinationPath: "elsewhere")
      try AtomicLink.point(link, to: "epoch-002")
      #expect(try state(link) == "two")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "epoch-002")
      #expect(try sortedNames(in: folder) == ["epoch-001", "epoch-002", "latest"])
    }
  }

  @Test func linksReplaceNothingButLinks() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "file")
      try AtomicFile.write(Data("mine".utf8), to: file)
      for url in [file, folder] {
        #expect(throws: FileError.self) { try AtomicLink.point(url, to: "epoch-001") }
      }
      #expect(try text(of: file) == "mine")
      let lost = folder.appending(path: "nowhere/latest")
      #expect(throws: FileError.self) { try AtomicLink.point(lost, to: "epoch-001") }
    }
  }
}
