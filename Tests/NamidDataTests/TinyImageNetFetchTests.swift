import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

/// Fetching without a network: an archive that lies on this machine.
struct TinyImageNetFetchTests {
  private typealias Folder = TinyImageNetFolder

  /// An archive of the small set; nil, with a printed reason, where there is no zip or unzip.
  private func makeArchive(in folder: URL) throws -> DatasetArchive? {
    _ = try Folder(in: folder)
    for program in ["zip", "unzip"] {
      guard try run([program, "-v"], in: folder) == 0 else {
        print("skipped: the program \(program) is not installed")
        return nil
      }
    }
    let file = folder.appendingPathComponent("tiny-imagenet-200.zip")
    #expect(try run(["zip", "-q", "-r", file.path, "tiny-imagenet-200"], in: folder) == 0)
    let error = datasetError(try PublishedFile(name: "", digest: .md5("")).check(file))
    guard case .checksumMismatch(_, _, let md5)? = error else { throw CancellationError() }
    return archive("file://\(file.path)", md5: md5)
  }

  private func archive(_ address: String, md5: String) -> DatasetArchive {
    var archive = TinyImageNet.official
    (archive.address, archive.bytes, archive.digest) = (address, 1 << 20, .md5(md5))
    return archive
  }

  private func run(_ arguments: [String], in folder: URL) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  private func source(_ archive: DatasetArchive, train: Int = 8) -> TinyImageNet {
    TinyImageNet(train: train, test: 5, archive: archive)
  }

  private func sortedNames(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func theArchiveIsCheckedUnpackedAndPutInPlace() throws {
    try withTemporaryFolder { folder in
      guard let archive = try makeArchive(in: folder) else { return }
      let data = folder.appendingPathComponent("new/data")
      try source(archive).fetch(into: data) { _ in }
      #expect(try sortedNames(in: data) == ["tiny-imagenet-200"])
      let set = try source(archive).load(.train, in: data)
      #expect(set.pixels == Folder.trainPixels && set.title == "Tiny-ImageNet")
      var news: [String] = []
      try source(archive).fetch(into: data) { news.append($0) }
      #expect(news.count == 1 && news[0].hasSuffix("already"))
    }
  }

  @Test func anArchiveThatIsThereIsUsedFirst() throws {
    try withTemporaryFolder { folder in
      guard let made = try makeArchive(in: folder) else { return }
      var archive = made
      archive.address = "file:///nowhere/tiny-imagenet-200.zip"
      let data = folder.appendingPathComponent("data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      try FileManager.default.moveItem(
        at: folder.appendingPathComponent("tiny-imagenet-200.zip"),
        to: data.appendingPathComponent("tiny-imagenet-200.zip"))
      try source(archive).fetch(into: data) { _ in }
      #expect(try sortedNames(in: data) == ["tiny-imagenet-200", "tiny-imagenet-200.zip"])
      #expect(try source(archive).load(.test, in: data).count == 5)
    }
  }

  @Test func anotherArchiveIsNotUnpacked() throws {
    try withTemporaryFolder { folder in
      guard let made = try makeArchive(in: folder) else { return }
      let archive = self.archive(made.address, md5: String(repeating: "0", count: 32))
      let data = folder.appendingPathComponent("data")
      guard
        case .fetchFailed("tiny-imagenet", let reasons, let remedy)? = datasetError(
          try source(archive).fetch(into: data) { _ in })
      else {
        Issue.record("an archive with another checksum was taken")
        return
      }
      #expect(reasons.count == 1 && reasons[0].contains("00000000"))
      #expect(remedy.contains("unzip -q") && remedy.contains(data.path))
      #expect(try sortedNames(in: data).isEmpty)
    }
  }

  @Test func anArchiveThatHoldsAnotherSetIsNotTaken() throws {
    try withTemporaryFolder { folder in
      guard let archive = try makeArchive(in: folder) else { return }
      let data = folder.appendingPathComponent("data")
      guard
        case .fetchFailed(_, let reasons, _)? = datasetError(
          try source(archive, train: 9).fetch(into: data) { _ in })
      else {
        Issue.record("a part was taken for the whole")
        return
      }
      #expect(reasons.count == 1 && reasons[0].contains("8 of 9 images in train"))
      #expect(try sortedNames(in: data).isEmpty)
    }
  }

  @Test func aSubsetThatIsThereStays() throws {
    try withTemporaryFolder { folder in
      let archive = self.archive("file:///nowhere/tiny-imagenet-200.zip", md5: "")
      let made = try Folder(in: folder)
      let error = datasetError(try source(archive, train: 9).fetch(into: folder) { _ in })
      guard case .fetchFailed(_, let reasons, let remedy)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reasons.count == 1 && reasons[0].contains(made.root.path))
      #expect(remedy.contains("Move it away"))
      #expect(try source(archive, train: 9).load(.train, in: folder).count == 8)
    }
  }
}
