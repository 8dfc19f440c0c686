import Foundation
import NamidTestSupport
import Testing

@testable import NamidFiles

/// What a killed process, or one that hits a limit, leaves behind.
@Suite struct CrashTests {
  @Test func aKillWhileFillingLeavesTheOldFolder() async throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let url = folder.appending(path: "best")
    try AtomicDirectory.replace(at: url) { try Data("old".utf8).write(to: $0.appending(path: "a")) }
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = url.path as String] in
      try AtomicDirectory.replace(at: URL(filePath: path)) { draft in
        try Data("new".utf8).write(to: draft.appending(path: "a"))
        kill(getpid(), SIGKILL)
      }
    }
    #expect(try text(of: url.appending(path: "a")) == "old")
    #expect(try sortedNames(in: folder).count == 2)
    try AtomicDirectory.recover(at: url)
    #expect(try text(of: url.appending(path: "a")) == "old")
    #expect(try sortedNames(in: folder) == ["best"])
  }

  @Test func aKillWhileWritingLeavesTheOldFile() async throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let url = folder.appending(path: "state")
    try AtomicFile.write(Data("old".utf8), to: url)
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = url.path as String] in
      try AtomicFile.write(to: URL(filePath: path)) { writer in
        try writer.write("new")
        kill(getpid(), SIGKILL)
      }
    }
    #expect(try text(of: url) == "old")
    #expect(try sortedNames(in: folder).count == 2)
    try AtomicFile.write(Data("newer".utf8), to: url)
    #expect(try text(of: url) == "newer")
    #expect(try sortedNames(in: folder) == ["state"])
  }

  @Test func aLimitReachedInTheMiddleLeavesTheOldFiles() async throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    await #expect(processExitsWith: .success) { [path = folder.path as String] in
      let folder = URL(filePath: path)
      let file = folder.appending(path: "weights")
      let metrics = try MetricsFile(url: folder.appending(path: "metrics.jsonl"))
      try AtomicFile.write(Data("old".utf8), to: file)
      try metrics.append(step: 1, ["loss": 0.5])
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit()
      getrlimit(fileSizeResource, &limit)
      limit.rlim_cur = 4096
      setrlimit(fileSizeResource, &limit)

      let error = FileError.tooLarge(
        path: file.path, needed: 100_000, aftermath: .previousUnchanged)
      try #require(throws: error) { try AtomicFile.write(Data(count: 100_000), to: file) }
      let text = String(repeating: "x", count: 10_000)
      try #require(throws: FileError.self) { try metrics.append(step: 2, ["text": .string(text)]) }
      try metrics.append(step: 2, ["loss": 0.25])
      exit(EXIT_SUCCESS)
    }
    #expect(try text(of: folder.appending(path: "weights")) == "old")
    #expect(
      try text(of: folder.appending(path: "metrics.jsonl"))
        == "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":0.25}\n")
    #expect(try sortedNames(in: folder) == ["metrics.jsonl", "weights"])
  }
}

#if canImport(Glibc)
  private let fileSizeResource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
#else
  private let fileSizeResource = RLIMIT_FSIZE
#endif
