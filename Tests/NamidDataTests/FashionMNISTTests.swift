import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

/// Fashion-MNIST in small: three training images and two test images, in the real file format.
struct FashionMNISTTests {
  private let set = FashionMNIST(train: 3, test: 2)
  private let area = 28 * 28

  private func images(_ count: Int) -> [UInt8] {
    idx([count, 28, 28], (0..<count).flatMap { pattern(image: $0, count: area) })
  }

  /// Writes the four files; `pack` is `gzip` or nothing.
  private func write(_ folder: URL, ending: String, pack: ([UInt8]) -> [UInt8]) throws {
    try folder.write(pack(images(3)), to: "train-images-idx3-ubyte\(ending)")
    try folder.write(pack(idx([3], [9, 0, 4])), to: "train-labels-idx1-ubyte\(ending)")
    try folder.write(pack(images(2)), to: "t10k-images-idx3-ubyte\(ending)")
    try folder.write(pack(idx([2], [1, 1])), to: "t10k-labels-idx1-ubyte\(ending)")
  }

  @Test(arguments: ["fashion-mnist", "FashionMNIST/raw", "."])
  func itIsReadFromEachOfItsPlaces(_ place: String) throws {
    try withTemporaryFolder { folder in
      try write(folder.appendingPathComponent(place), ending: ".gz", pack: gzip)
      let train = try set.load(.train, in: folder)
      #expect(train.labels == [9, 0, 4])
      #expect(train.pixels == (0..<3).flatMap { pattern(image: $0, count: area) })
      #expect(shape(train) == [28, 28, 1])
      #expect(train.layout == "idx.gz" && train.name == "fashion-mnist")
      #expect(train.classNames.count == 10 && train.classNames[9] == "ankle boot")
      #expect(try set.load(.test, in: folder).count == 2)
    }
  }

  @Test func plainAndPackedFilesHoldTheSame() throws {
    try withTemporaryFolder { folder in
      try write(folder.appendingPathComponent("a"), ending: "", pack: { $0 })
      try write(folder.appendingPathComponent("b"), ending: ".gz", pack: gzip)
      let plain = try set.load(.train, in: folder.appendingPathComponent("a"))
      let packed = try set.load(.train, in: folder.appendingPathComponent("b"))
      #expect(plain.fingerprint == packed.fingerprint && plain.layout == "idx")
    }
  }

  @Test func aPlainFileCutAnywhereIsTruncated() throws {
    try withTemporaryFolder { folder in
      try write(folder, ending: "", pack: { $0 })
      let whole = images(3)
      for length in Array(0..<20) + [500, whole.count / 2, whole.count - 2, whole.count - 1] {
        let file = try folder.write(whole.prefix(length), to: "train-images-idx3-ubyte")
        let expected = length < 16 ? 16 : whole.count
        #expect(throws: DatasetError.truncated(file: file.path, expected: expected, found: length))
        { try set.load(.train, in: folder) }
      }
    }
  }

  @Test func aPackedFileCutAnywhereSaysWhatItsHeaderPromised() throws {
    try withTemporaryFolder { folder in
      try write(folder, ending: ".gz", pack: gzip)
      let content = images(3)
      let whole = gzip(content)
      let start = 15  // ten bytes of gzip header, five of the stored block's
      for length in [0, 5, 14, 15, 20, 31, 32, 700, whole.count - 9] {
        let file = try folder.write(whole.prefix(length), to: "train-images-idx3-ubyte.gz")
        let found = max(0, length - start)
        let error = datasetError(try set.load(.train, in: folder))
        if length < 2 {
          #expect(error == .truncated(file: file.path, expected: 16, found: 0))
        } else {
          #expect(
            error
              == .truncated(
                file: file.path + " (unpacked)", expected: found < 16 ? 16 : content.count,
                found: found))
        }
      }
      for missing in 1...8 {  // all values are there, gzip's checksum is not
        let file = try folder.write(whole.dropLast(missing), to: "train-images-idx3-ubyte.gz")
        #expect(
          throws: DatasetError.truncated(
            file: file.path, expected: whole.count - missing + 1, found: whole.count - missing)
        ) { try set.load(.train, in: folder) }
      }
    }
  }

  @Test func foreignFilesAreNamed() throws {
    try withTemporaryFolder { folder in
      try write(folder, ending: "", pack: { $0 })
      func error(_ bytes: [UInt8]) throws -> DatasetError? {
        try folder.write(bytes, to: "train-images-idx3-ubyte")
        return datasetError(try set.load(.train, in: folder))
      }
      let path = folder.appendingPathComponent("train-images-idx3-ubyte").path
      for foreign in [Array("<html>".utf8), idx([3], [1, 2, 3]), [0, 0, 13, 3] + images(3)[4...]] {
        guard case .foreign(path, _, let found)? = try error(foreign) else {
          Issue.record("not foreign: \(foreign.prefix(4))")
          continue
        }
        #expect(
          found
            == foreign.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined(separator: " "))
      }
      #expect(
        try error(images(3) + [0])
          == .tooLong(file: path, expected: 16 + 3 * area, found: 17 + 3 * area))
      #expect(
        try error(idx([3, 28, 27], [UInt8](repeating: 0, count: 3 * 28 * 27)))
          == .foreign(file: path, expected: "images of 28×28", found: "images of 28×27"))
      // Sizes whose product overflows a machine word ask for no memory.
      guard case .foreign? = try error(idx([1 << 31, 1 << 31, 1 << 31], [])) else {
        Issue.record("an overflowing size was taken")
        return
      }
      guard case .truncated? = try error(idx([1 << 31, 1 << 10, 1 << 10], [])) else {
        Issue.record("a size without values was taken")
        return
      }
    }
  }

  @Test func labelsThatDoNotFitAreNamed() throws {
    try withTemporaryFolder { folder in
      try write(folder, ending: "", pack: { $0 })
      let file = try folder.write(idx([3], [1, 10, 2]), to: "train-labels-idx1-ubyte")
      #expect(
        throws: DatasetError.labelOutOfRange(file: file.path, index: 1, label: 10, classes: 10)
      ) { try set.load(.train, in: folder) }
      try folder.write(idx([2], [1, 2]), to: "train-labels-idx1-ubyte")
      guard case .wrongCount(_, 3, 2)? = datasetError(try set.load(.train, in: folder)) else {
        Issue.record("two labels for three images were taken")
        return
      }
    }
  }

  @Test func anotherNumberOfImagesIsNotTheSet() throws {
    try withTemporaryFolder { folder in
      try write(folder, ending: "", pack: { $0 })
      let larger = FashionMNIST(train: 4, test: 2)
      guard case .wrongCount(_, 4, 3)? = datasetError(try larger.load(.train, in: folder)) else {
        Issue.record("three of four images were taken")
        return
      }
    }
  }

  @Test func aBombIsStoppedAtTheSetsSize() throws {
    try withTemporaryFolder { folder in
      try write(folder, ending: ".gz", pack: gzip)
      let file = try folder.write(gzip(images(3) + [0, 0]), to: "train-images-idx3-ubyte.gz")
      #expect(
        throws: DatasetError.tooLong(
          file: file.path + " (unpacked)", expected: 16 + 3 * area, found: 17 + 3 * area)
      ) { try set.load(.train, in: folder) }
    }
  }

  @Test func aMissingFileOfFourIsNamed() throws {
    try withTemporaryFolder { folder in
      try write(folder, ending: ".gz", pack: gzip)
      try FileManager.default.removeItem(
        at: folder.appendingPathComponent("train-labels-idx1-ubyte.gz"))
      guard
        case .missing("train-labels-idx1-ubyte.gz", [folder.path], _)? = datasetError(
          try set.load(.train, in: folder))
      else {
        Issue.record("the missing file was not named")
        return
      }
      #expect(try set.load(.test, in: folder).count == 2)
    }
  }
}
