import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

/// Fetching without a network: archives that lie on this machine.
struct FetchTests {
  private static let batches = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]

  private static func record(_ label: UInt8) -> [UInt8] {
    [label] + [UInt8](repeating: label, count: 3_072)
  }

  /// The checksum of a file, from the error that a wrong one gives.
  private func checksum(_ file: URL, _ digest: PublishedFile.Digest) throws -> String {
    let error = datasetError(try PublishedFile(name: "", digest: digest).check(file))
    guard case .checksumMismatch(_, _, let found)? = error else { throw CancellationError() }
    return found
  }

  /// A set of one image per batch whose archive lies in `folder`.
  private func makeArchive(in folder: URL, address: (URL) -> String) throws -> DatasetArchive {
    var files: [PublishedFile] = []
    for (index, name) in Self.batches.enumerated() {
      let file = try folder.write(
        Self.record(UInt8(index)), to: "made/cifar-10-batches-bin/\(name)")
      files.append(PublishedFile(name: name, digest: .md5(try checksum(file, .md5("")))))
    }
    try folder.write([1], to: "made/cifar-10-batches-bin/readme.html")
    try folder.write([1], to: "made/cifar-10-batches-bin/stranger")
    let archive = folder.appendingPathComponent("cifar-10-binary.tar.gz")
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = [
      "tar", "-czf", archive.path, "-C", folder.path + "/made", "cifar-10-batches-bin",
    ]
    try tar.run()
    tar.waitUntilExit()
    return DatasetArchive(
      address: address(archive), bytes: 1 << 20,
      digest: .sha256(try checksum(archive, .sha256(""))), folder: "cifar-10-batches-bin",
      layout: "binary", files: files, extras: ["readme.html"])
  }

  private func sortedNames(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func anArchiveIsCheckedUnpackedAndPutInPlace() throws {
    try withTemporaryFolder { folder in
      let archive = try makeArchive(in: folder) { "file://\($0.path)" }
      let set = CIFAR10(imagesPerBatch: 1, archives: [archive])
      let data = folder.appendingPathComponent("new/data")
      try set.fetch(into: data) { _ in }
      #expect(try sortedNames(in: data) == ["cifar-10-batches-bin"])
      #expect(
        try sortedNames(in: data.appendingPathComponent("cifar-10-batches-bin"))
          == (Self.batches + ["readme.html"]).sorted())
      #expect(try set.load(.train, in: data).labels == [0, 1, 2, 3, 4])
      let verified = try set.verify(in: data) { _ in }
      #expect(verified.isOfficial && verified.differences.isEmpty)

      var news: [String] = []
      try set.fetch(into: data) { news.append($0) }
      #expect(news.count == 1 && news[0].hasSuffix("already"))
    }
  }

  @Test func anArchiveThatIsThereIsUsedFirst() throws {
    try withTemporaryFolder { folder in
      let archive = try makeArchive(in: folder) { _ in
        "file:///nowhere/cifar-10-binary.tar.gz"
      }
      let set = CIFAR10(imagesPerBatch: 1, archives: [archive])
      try set.fetch(into: folder) { _ in }
      #expect(try set.load(.test, in: folder).labels == [5])
      #expect(try sortedNames(in: folder).contains("cifar-10-binary.tar.gz"))
    }
  }

  @Test func aWrongChecksumChangesNothing() throws {
    try withTemporaryFolder { folder in
      var archive = try makeArchive(in: folder) { "file://\($0.path)" }
      archive.digest = .sha256(String(repeating: "0", count: 64))
      let set = CIFAR10(imagesPerBatch: 1, archives: [archive])
      let data = folder.appendingPathComponent("data")
      try data.write(Self.record(7), to: "cifar-10-batches-bin/test_batch.bin")
      guard
        case .fetchFailed("cifar10", let reasons, let remedy)? = datasetError(
          try set.fetch(into: data) { _ in })
      else {
        Issue.record("an archive with another checksum was taken")
        return
      }
      #expect(reasons.count == 1 && reasons[0].contains("0000000000000000"))
      #expect(remedy.contains(archive.address) && remedy.contains(data.path))
      #expect(try sortedNames(in: data) == ["cifar-10-batches-bin"])
      #expect(try set.load(.test, in: data).labels == [7])
    }
  }

  @Test func aDamagedSetIsFetchedAnewAndStrangersFilesStay() throws {
    try withTemporaryFolder { folder in
      let archive = try makeArchive(in: folder) { "file://\($0.path)" }
      let set = CIFAR10(imagesPerBatch: 1, archives: [archive])
      let data = folder.appendingPathComponent("data")
      try data.write([1, 2, 3], to: "cifar-10-batches-bin/data_batch_1.bin")
      let notes = try data.write([9], to: "cifar-10-batches-bin/my-notes.txt")
      try set.fetch(into: data) { _ in }
      #expect(try set.load(.train, in: data).count == 5)
      #expect(try Data(contentsOf: notes) == Data([9]))
    }
  }

  @Test func whatCannotBeReachedIsNamed() throws {
    try withTemporaryFolder { folder in
      let made = try makeArchive(in: folder.appendingPathComponent("elsewhere")) { _ in
        "file:///nowhere/cifar-10-binary.tar.gz"
      }
      let set = CIFAR10(imagesPerBatch: 1, archives: [made])
      let data = folder.appendingPathComponent("data")
      guard case .fetchFailed(_, let reasons, _)? = datasetError(try set.fetch(into: data) { _ in })
      else {
        Issue.record("a file that is nowhere was fetched")
        return
      }
      #expect(reasons.count == 1 && reasons[0].contains("/nowhere/cifar-10-binary.tar.gz"))
      #expect(reasons[0].contains("curl"))
      #expect(try sortedNames(in: data).isEmpty)
    }
  }

  @Test func aFolderThatCannotBeMadeIsNamed() throws {
    try withTemporaryFolder { folder in
      let file = try folder.write([1], to: "file")
      let set = CIFAR10(imagesPerBatch: 1)
      guard
        case .unwritable(file.path + "/data", _)? = datasetError(
          try set.fetch(into: file.appendingPathComponent("data")) { _ in })
      else {
        Issue.record("a folder was made within a file")
        return
      }
    }
  }
}
