import Foundation
import NamidNetworks
import NamidTestSupport
import Testing

@testable import NamidData

/// CIFAR-10 in small: two images in each of the six batch files, in the real formats.
struct CIFARTests {
  private let set = CIFAR10(imagesPerBatch: 2)
  private static let area = 32 * 32
  private static let names = "airplane automobile bird cat deer dog frog horse ship truck"
    .split(separator: " ").map(String.init)

  private struct Batch {
    let file: String
    let labels: [Int]
    let images: [Int]
  }

  private static let batches = [
    Batch(file: "data_batch_1", labels: [0, 9], images: [0, 1]),
    Batch(file: "data_batch_2", labels: [1, 8], images: [2, 3]),
    Batch(file: "data_batch_3", labels: [2, 7], images: [4, 5]),
    Batch(file: "data_batch_4", labels: [3, 6], images: [6, 7]),
    Batch(file: "data_batch_5", labels: [4, 5], images: [8, 9]),
    Batch(file: "test_batch", labels: [5, 5], images: [10, 11]),
  ]

  private static func image(_ index: Int) -> [UInt8] { pattern(image: index, count: 3 * area) }

  private static func binary(_ batch: Batch) -> [UInt8] {
    zip(batch.labels, batch.images).flatMap { label, index in
      [UInt8(label)] + planes(of: image(index))
    }
  }

  private static func writeBinary(_ folder: URL) throws {
    for batch in batches { try folder.write(binary(batch), to: batch.file + ".bin") }
    try folder.write(Array((names.joined(separator: "\n") + "\n\n").utf8), to: "batches.meta.txt")
  }

  private static func writePython(_ folder: URL) throws {
    for batch in batches {
      let bytes = PickleWriter.batch(
        labels: batch.labels, data: batch.images.flatMap { planes(of: image($0)) })
      try folder.write(bytes, to: batch.file)
    }
    try folder.write(PickleWriter.meta(names: names), to: "batches.meta")
  }

  private static func writeFolders(_ folder: URL, skipping skipped: Int? = nil) throws {
    for split in ["train", "test"] {
      for (index, name) in names.enumerated() where index != skipped {
        let png = try PNG.encode(pixels: image(index), height: 32, width: 32, channels: 3)
        try folder.write(png, to: "\(split)/\(name)/0000.png")
      }
    }
  }

  private func expectWhole(_ folder: URL, layout: String) throws -> [String] {
    let train = try set.load(.train, in: folder)
    #expect(train.labels == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5])
    #expect(train.pixels == (0..<10).flatMap { Self.image($0) })
    #expect(shape(train) == [32, 32, 3])
    #expect(train.classNames == Self.names)
    #expect(train.layout == layout && train.title == "CIFAR-10" && train.name == "cifar10")
    let test = try set.load(.test, in: folder)
    #expect(test.labels == [5, 5])
    #expect(Array(test.image(at: 1)) == Self.image(11))
    return [train.fingerprint, test.fingerprint]
  }

  @Test func bothOfficialLayoutsHoldTheSameImages() throws {
    try withTemporaryFolder { folder in
      let binary = folder.appendingPathComponent("b")
      let python = folder.appendingPathComponent("p")
      try Self.writeBinary(binary.appendingPathComponent("cifar-10-batches-bin"))
      try Self.writePython(python.appendingPathComponent("cifar-10-batches-py"))
      #expect(
        try expectWhole(binary, layout: "binary") == expectWhole(python, layout: "python"))
      // The set's own folder does as well as the directory above it.
      _ = try expectWhole(python.appendingPathComponent("cifar-10-batches-py"), layout: "python")
    }
  }

  @Test func folderImagesAreReadByClass() throws {
    try withTemporaryFolder { folder in
      try Self.writeFolders(folder.appendingPathComponent("cifar10"))
      let train = try set.load(.train, in: folder)
      #expect(train.labels == Array(0..<10) && train.layout == "image folders")
      #expect(train.pixels == (0..<10).flatMap { Self.image($0) })
      #expect(train.title == "CIFAR-10")  // PNG keeps every value
      guard case .wrongCount(_, 2, 10)? = datasetError(try set.load(.test, in: folder)) else {
        Issue.record("ten test images were taken for two")
        return
      }
    }
  }

  @Test func aFolderWithAnotherClassListIsForeign() throws {
    try withTemporaryFolder { folder in
      try Self.writeFolders(folder, skipping: 4)
      guard case .foreign? = datasetError(try set.load(.train, in: folder)) else {
        Issue.record("nine classes were taken")
        return
      }
    }
  }

  @Test func aBinaryFileCutAnywhereIsTruncated() throws {
    try withTemporaryFolder { folder in
      try Self.writeBinary(folder)
      let whole = Self.binary(Self.batches[3])
      // Within a label, within an image, between images, the last byte.
      for length in [0, 1, 2, 1_000, 3_073, 3_074, 6_144, whole.count - 1] {
        let file = try folder.write(whole.prefix(length), to: "data_batch_4.bin")
        #expect(throws: DatasetError.truncated(file: file.path, expected: 6_146, found: length)) {
          try set.load(.train, in: folder)
        }
      }
      let file = try folder.write(whole + [0], to: "data_batch_4.bin")
      #expect(throws: DatasetError.tooLong(file: file.path, expected: 6_146, found: 6_147)) {
        try set.load(.train, in: folder)
      }
    }
  }

  @Test func aPythonFileCutAnywhereIsTruncated() throws {
    try withTemporaryFolder { folder in
      try Self.writePython(folder)
      let whole = PickleWriter.batch(
        labels: [1, 2], data: [UInt8](repeating: 7, count: 6 * Self.area))
      let lengths =
        Array(0..<200) + stride(from: 200, to: whole.count, by: 501)
        + ((whole.count - 60)..<whole.count)
      for length in lengths {
        let file = try folder.write(whole.prefix(length), to: "test_batch")
        let error = datasetError(try set.load(.test, in: folder))
        guard case .truncated(file.path, let expected, length)? = error, expected > length,
          expected <= whole.count
        else {
          Issue.record("cut after \(length) of \(whole.count) bytes: \(String(describing: error))")
          continue
        }
      }
    }
  }

  @Test func labelsAndClassNamesAreChecked() throws {
    try withTemporaryFolder { folder in
      let binary = folder.appendingPathComponent("b")
      try Self.writeBinary(binary)
      var records = Self.binary(Self.batches[1])
      records[3_073] = 10
      let file = try binary.write(records, to: "data_batch_2.bin")
      #expect(
        throws: DatasetError.labelOutOfRange(file: file.path, index: 1, label: 10, classes: 10)
      ) { try set.load(.train, in: binary) }
      try binary.write(Array("apple\naquarium fish\n".utf8), to: "batches.meta.txt")
      guard
        case .foreign(_, _, "apple aquarium fish")? = datasetError(try set.load(.test, in: binary))
      else {
        Issue.record("class names of another set were taken")
        return
      }

      let python = folder.appendingPathComponent("p")
      try Self.writePython(python)
      let pickle = try python.write(
        PickleWriter.batch(labels: [3, 255], data: [UInt8](repeating: 7, count: 6 * Self.area)),
        to: "test_batch")
      #expect(
        throws: DatasetError.labelOutOfRange(file: pickle.path, index: 1, label: 255, classes: 10)
      ) { try set.load(.test, in: python) }
    }
  }

  @Test func aMissingBatchIsNamed() throws {
    try withTemporaryFolder { folder in
      try Self.writeBinary(folder)
      try FileManager.default.removeItem(at: folder.appendingPathComponent("data_batch_3.bin"))
      guard
        case .missing("data_batch_3.bin", [folder.path], _)? = datasetError(
          try set.load(.train, in: folder))
      else {
        Issue.record("the missing batch was not named")
        return
      }
    }
  }

  @Test func counts() {
    #expect(CIFAR10().expectedCounts == [.train: 50_000, .test: 10_000])
    #expect(CIFAR10().publishedFiles(of: "binary").count == 6)
    #expect(CIFAR10().publishedFiles(of: "python").count == 7)
    #expect(CIFAR10().publishedFiles(of: "image folders").isEmpty)
  }
}
