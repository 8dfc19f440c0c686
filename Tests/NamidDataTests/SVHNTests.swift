import Foundation
import NamidFiles
import NamidTestSupport
import Testing

@testable import NamidData

/// SVHN in small, as SciPy writes MATLAB's files, compressed and not (`Tests/Golden/make-data-fixtures.py`).
struct SVHNTests {
  private let set = SVHN(train: 3, test: 3)
  private let folder = Golden.url("data/svhn")

  @Test func bothKindsOfFilesAreRead() throws {
    let expected = try NPYArray(folder.appending(path: "pixels.npy")).bytes()
    for split in [Split.train, .test] {
      let read = try set.load(split, in: folder)
      #expect(read.pixels == expected && read.labels == [0, 1, 9])
      #expect(shape(read) == [32, 32, 3] && read.classNames == (0...9).map(String.init))
      #expect(read.layout == "matlab")
    }
  }

  @Test func cutAndDamagedFilesAreErrors() throws {
    for name in ["train_32x32.mat", "test_32x32.mat"] {
      let whole = try Data(contentsOf: folder.appending(path: name))
      try withTemporaryFolder { folder in
        let split = name.hasPrefix("train") ? Split.train : .test
        for length in stride(from: 0, to: whole.count, by: whole.count / 40 + 1) {
          try folder.write(whole.prefix(length), to: name)
          #expect(throws: DatasetError.self) { try set.load(split, in: folder) }
        }
        for position in Array(128..<260) + [whole.count - 30, whole.count - 3] {
          var damaged = whole
          damaged[position] ^= 0xFF
          try folder.write(damaged, to: name)
          // What the reader does not need to know may change; nothing may trap.
          do { _ = try set.load(split, in: folder) } catch is DatasetError {}
        }
      }
    }
  }

  @Test func otherFilesAreForeign() throws {
    try withTemporaryFolder { folder in
      try folder.write(
        [0x89, 0x48, 0x44, 0x46] + [UInt8](repeating: 0, count: 200), to: "test_32x32.mat")
      #expect(datasetError(try set.load(.test, in: folder))?.description.contains("HDF5") == true)
      let fetch = message { try SVHN().fetch(into: folder, say: { _ in }) }
      #expect(fetch?.contains("Download train_32x32.mat") == true)
    }
  }
}
