import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidTraining

/// Which checkpoints there are, and that one is there whole or not at all.
@Suite(.serialized) struct CheckpointFolderTests {
  private func save(
    _ run: URL, _ epoch: Int, best: Int? = nil, keep: Int = 2
  ) throws {
    let state = CheckpointState(
      epoch: epoch, step: 10 * epoch, best: best.map { .init(epoch: $0, value: 0.5) },
      configurationHash: "0", torchVersion: "0")
    let weights = Tensor.full([1000], Double(epoch))
    try CheckpointFolder(run: run).save(
      state, files: ["model.safetensors": [("weight", weights)]], keep: keep)
  }

  private func weight(_ run: URL, _ choice: CheckpointFolder.Choice) throws -> Float? {
    try CheckpointFolder(run: run).tensors(choice, file: "model.safetensors")["weight"]?
      .array(of: Float.self).first
  }

  @Test func theLastOnesAndTheBestStay() throws {
    let run = try makeTemporaryFolder()
    defer { remove(run) }
    let folder = CheckpointFolder(run: run)
    #expect(folder.isEmpty)
    for epoch in 1...6 { try save(run, epoch, best: min(epoch, 2)) }
    #expect(!folder.isEmpty)
    #expect(
      try sortedNames(in: folder.url) == [
        "best", "epoch-0002", "epoch-0005", "epoch-0006", "latest",
      ])
    #expect(try weight(run, .latest) == 6)
    #expect(try weight(run, .best) == 2)
    #expect(try weight(run, .epoch(5)) == 5)
    try save(run, 7, best: 7, keep: 1)
    #expect(try sortedNames(in: folder.url) == ["best", "epoch-0007", "latest"])
    #expect(try weight(run, .best) == 7)
  }

  /// Weights and state, their folder, the folder of checkpoints, and that once more for the link to the latest.
  @Test func savingForcesEveryFileOntoTheDiskOnce() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { try CheckpointFolderTests().save($0, 1) }
      let count = syncCount.load(ordering: .relaxed)
      try #require(count == 5)
      exit(EXIT_SUCCESS)
    }
  }

  @Test func choicesAreReadAndWritten() {
    for (text, choice) in [
      ("latest", CheckpointFolder.Choice.latest), ("best", .best), ("12", .epoch(12)),
    ] {
      #expect(CheckpointFolder.Choice(text) == choice)
      #expect(choice.description == text)
    }
    #expect(CheckpointFolder.Choice("last") == .latest)
    // 2³² + 1 is not 1.
    #expect(CheckpointFolder.Choice.epoch(4_294_967_297).folderName == "epoch-4294967297")
    for text in ["", "foo", "0", "-1", "1.5", "epoch-0001"] {
      #expect(CheckpointFolder.Choice(text) == nil, "\(text)")
    }
  }

  /// What processes that died have left behind stands in nobody's way, and the next save sweeps it out.
  @Test func leftoversAreIgnoredAndSwept() throws {
    let run = try makeTemporaryFolder()
    defer { remove(run) }
    let folder = CheckpointFolder(run: run)
    try save(run, 1)
    let draft = folder.url.appending(path: ".epoch-0002.0123456789abcdef.partial")
    try FileManager.default.createDirectory(at: draft, withIntermediateDirectories: false)
    try Data("half".utf8).write(to: draft.appending(path: "model.safetensors"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.url.appending(path: ".latest.link").path, withDestinationPath: "epoch-0002")
    #expect(try folder.state(.latest).epoch == 1)
    #expect(try weight(run, .latest) == 1)
    try save(run, 2)
    #expect(try sortedNames(in: folder.url) == ["epoch-0001", "epoch-0002", "latest"])
    #expect(try weight(run, .latest) == 2)
  }

  /// The process dies by the signal in the middle of a file of the new checkpoint.
  @Test func aKillWhileSavingLeavesTheCheckpointBefore() async throws {
    let run = try makeTemporaryFolder()
    defer { remove(run) }
    let folder = CheckpointFolder(run: run)
    try save(run, 1)
    await #expect(processExitsWith: .signal(SIGXFSZ)) { [run = run as URL] in
      expectFileSizeSignal()
      setFileSizeLimit(1024)
      try CheckpointFolderTests().save(run, 2)
    }
    let left = try sortedNames(in: folder.url)
    #expect(left.count == 3 && left[0].hasPrefix(".epoch-0002."), "\(left)")
    #expect(try folder.state(.latest).epoch == 1)
    #expect(try weight(run, .latest) == 1)
    try save(run, 2)
    #expect(try sortedNames(in: folder.url) == ["epoch-0001", "epoch-0002", "latest"])
  }

  @Test func aFullDiskLeavesTheCheckpointBefore() async throws {
    let run = try makeTemporaryFolder()
    defer { remove(run) }
    let folder = CheckpointFolder(run: run)
    try save(run, 1)
    await #expect(processExitsWith: .success) { [run = run as URL] in
      signal(SIGXFSZ, SIG_IGN)
      setFileSizeLimit(1024)
      let text = message { try CheckpointFolderTests().save(run, 2) } ?? ""
      // A limit on sizes fails as a full disk does, in the middle of a file.
      #expect(text.contains("checkpoints/epoch-0002/model.safetensors"), "\(text)")
      #expect(text.contains("limit"), "\(text)")
      exit(EXIT_SUCCESS)
    }
    #expect(try sortedNames(in: folder.url) == ["epoch-0001", "latest"])
    #expect(try weight(run, .latest) == 1)
    try save(run, 2)
    #expect(try weight(run, .latest) == 2)
  }

  @Test func whatStandsInTheWayIsNamedAndStays() throws {
    let run = try makeTemporaryFolder()
    defer { remove(run) }
    let folder = CheckpointFolder(run: run)
    try save(run, 1)
    let obstacle = folder.url.appending(path: "epoch-0002")
    try Data("mine".utf8).write(to: obstacle)
    let text = message { try save(run, 2) } ?? ""
    #expect(text.contains("checkpoints/epoch-0002 already exists: expected a folder"), "\(text)")
    #expect(try Data(contentsOf: obstacle) == Data("mine".utf8))
    #expect(try folder.state(.latest).epoch == 1)

    let other = run.appending(path: "other")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: false)
    try Data("mine".utf8).write(to: other.appending(path: "checkpoints"))
    let second = message { try save(other, 1) } ?? ""
    #expect(second.contains("other/checkpoints"), "\(second)")
    #expect(try sortedNames(in: other) == ["checkpoints"])
  }

  @Test func aFolderThatCannotBeWrittenIsNamed() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let file = root.appending(path: "file")
    try Data().write(to: file)
    var run = try TinyRun(in: root, defense: .natural)
    run.folder = file.appending(path: "run")
    let text = message { try run.train() } ?? ""
    #expect(text.contains("file is not a folder"), "\(text)")

    // Permissions do not bind root.
    if geteuid() != 0 {
      let locked = root.appending(path: "locked")
      try FileManager.default.createDirectory(
        at: locked, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o500])
      run.folder = locked.appending(path: "run")
      let text = message { try run.train() } ?? ""
      #expect(text.contains("permission denied"), "\(text)")
    } else {
      print("skipped: a folder without permission to write; it does not stop root")
    }
  }
}

/// Undoes that a parent ignores the signal of a file too large, and that threads of a pool block it.
func expectFileSizeSignal() {
  signal(SIGXFSZ, SIG_DFL)
  var signals = sigset_t()
  sigemptyset(&signals)
  sigaddset(&signals, SIGXFSZ)
  pthread_sigmask(SIG_UNBLOCK, &signals, nil)
}

/// Lets no file of this process grow beyond a size.
func setFileSizeLimit(_ bytes: UInt64) {
  #if canImport(Glibc)
    let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    let core = __rlimit_resource_t(RLIMIT_CORE.rawValue)
  #else
    let (resource, core) = (RLIMIT_FSIZE, RLIMIT_CORE)
  #endif
  var none = rlimit(rlim_cur: 0, rlim_max: 0)
  setrlimit(core, &none)
  var limit = rlimit()
  getrlimit(resource, &limit)
  limit.rlim_cur = rlim_t(bytes)
  setrlimit(resource, &limit)
}
