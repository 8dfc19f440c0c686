import Foundation
import NamidData
import NamidTestSupport
import Testing

private let shared = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("shared/data")

/// Real files that lie beside the repository on some machines; elsewhere these tests are skipped.
@Suite(
  .enabled("needs the data in ../shared") {
    FileManager.default.fileExists(atPath: shared.path)
  })
struct RealDataTests {
  /// Unpacks some members of an archive, or says why not and gives nil.
  private func unpack(_ name: String, _ members: [String], into folder: URL) throws -> Bool {
    let archive = shared.appendingPathComponent(name)
    guard FileManager.default.fileExists(atPath: archive.path) else {
      print("skipped: \(archive.path) is not there")
      return false
    }
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = ["tar", "-xJf", archive.path, "-C", folder.path] + members
    try tar.run()
    tar.waitUntilExit()
    guard tar.terminationStatus == 0 else {
      print("skipped: tar cannot unpack \(archive.path)")
      return false
    }
    return true
  }

  @Test func aTruncatedOfficialFileIsNamed() throws {
    try withTemporaryFolder { folder in
      guard
        try unpack(
          "cifar10-original-heads.tar.xz", ["test_batch", "batches.meta"], into: folder)
      else { return }
      let file = folder.appendingPathComponent("test_batch")
      guard
        case .truncated(file.path, let expected, 3_145_728)? = datasetError(
          try Datasets.load("cifar10", split: .test, directory: folder))
      else {
        Issue.record("the truncated file was not named")
        return
      }
      // Its pixels alone have 30,720,000 bytes.
      #expect(expected > 30_720_000 && expected < 30_800_000)
    }
  }

  @Test func anOfficialFileIsReadOnceItIsWhole() throws {
    try withTemporaryFolder { folder in
      guard
        try unpack(
          "cifar10-original-heads.tar.xz", ["test_batch", "batches.meta"], into: folder)
      else { return }
      // The missing pixels as zeros, and the operations that end the array and the dictionary.
      let file = folder.appendingPathComponent("test_batch")
      var bytes = try Data(contentsOf: file)
      let start = try #require(
        bytes.firstRange(of: Data([0x54] + littleEndian(30_720_000, 4)))?.upperBound)
      bytes += Data(count: start + 30_720_000 - bytes.count) + Data("tbu.".utf8)
      try bytes.write(to: file)

      let set = try Datasets.load("cifar10", split: .test, directory: folder)
      #expect(set.classCounts == [Int](repeating: 1_000, count: 10))
      #expect(set.labels.prefix(5) == [3, 8, 8, 0, 6])  // cat, ship, ship, airplane, frog
      #expect(set.image(at: 0).prefix(6) == [158, 112, 49, 159, 111, 47])
      let red = try Data(contentsOf: file)[start..<(start + 2)]
      #expect(Array(red) == [158, 159])
    }
  }

  @Test func realJPEGFilesAreRead() throws {
    try withTemporaryFolder { folder in
      let members = ["test/cat/0000.jpg", "test/cat/0001.jpg", "test/ship/0000.jpg"]
      guard try unpack("cifar10-jpeg.tar.xz", members, into: folder) else { return }
      let set = try Datasets.load("folder:\(folder.path)", split: .test, directory: folder)
      #expect(set.classNames == ["cat", "ship"] && set.labels == [0, 0, 1])
      #expect(shape(set) == [32, 32, 3])
    }
  }

  @Test func tinyImageNetIsReadAndKept() throws {
    try withTemporaryFolder { folder in
      // All classes of val and three of train: what lies on a disk takes time to write.
      let classes = ["n01443537", "n01644900", "n01698640"]
      let members = ["wnids.txt", "val"] + classes.map { "train/\($0)" }
      guard
        try unpack(
          "tiny-imagenet-200-subset.tar.xz", members.map { "tiny-imagenet-200/\($0)" },
          into: folder)
      else { return }
      let source = tinyImageNet(in: folder)
      let train = try source.load(.train, in: folder)
      #expect(train.title == "Tiny-ImageNet (subset: 300 of 100,000 images)")
      #expect(train.classNames.count == 200 && train.ignoredFiles == 0)
      for (position, name) in classes.enumerated() {
        #expect(train.classNames[train.labels[100 * position]] == name)
        #expect(train.classCounts[train.labels[100 * position]] == 100)
      }
      // What Pillow decodes.
      #expect(train.image(at: 0).prefix(6) == [255, 136, 193, 255, 138, 192])

      let test = try source.load(.test, in: folder)
      #expect(test.title == "Tiny-ImageNet" && test.ignoredFiles == 0)
      #expect(test.classCounts == [Int](repeating: 50, count: 200))
      #expect(test.labels.prefix(5) == [107, 139, 140, 69, 69])
      #expect(test.image(at: 0).prefix(6) == [38, 49, 53, 182, 182, 190])
      // The sum of all values of a gray image, as Pillow decodes it.
      #expect(test.image(at: 10).reduce(0) { $0 + Int($1) } == 2_079_264)

      let (again, news) = try loadWithNews(source, .test, in: folder)
      #expect(news.isEmpty && Data(again.pixels) == Data(test.pixels))
      #expect(again.labels == test.labels)
    }
  }
}
