import Foundation
import NamidFiles
import NamidTestSupport
import Testing

@testable import NamidData

/// A folder such as CIFAR-10-C in small, by NumPy (`Tests/Golden/make-data-fixtures.py`).
struct CorruptionSetTests {
  private let folder = Golden.url("data/CIFAR-10-C")

  @Test func corruptionsAreListedAndReadBySeverity() throws {
    let set = try CorruptionSet(folder)
    #expect(set.corruptions == ["gaussian_noise", "snow", "spatter"])
    #expect(set.count == 2 && set.labels == [3, 8] && set.classNames[3] == "cat")
    for (name, start) in [("snow", 0), ("gaussian_noise", 50), ("spatter", 100)] {
      for severity in set.severities {
        let images = try set.images(name, severity: severity)
        let first = (severity - 1) * 2 * 192
        #expect(images.pixels == (first..<first + 384).map { UInt8(($0 * 3 + start) % 251) })
        #expect(images.labels == [3, 8] && shape(images) == [8, 8, 3] && images.split == .test)
        #expect(images.title == "CIFAR-10-C, \(name) \(severity)")
      }
    }
    #expect(throws: DatasetError.self) { try set.images("fog", severity: 1) }
    #expect(throws: DatasetError.self) { try set.images("snow", severity: 6) }
    #expect(CorruptionSet.standard.count == 15)
  }

  /// The message that a copy of the folder is refused with, after a change.
  private func refusal(_ change: (URL) throws -> Void) throws -> String {
    try withTemporaryFolder { temporary in
      let copy = temporary.appending(path: "copy")
      try FileManager.default.copyItem(at: folder, to: copy)
      try change(copy)
      return message { _ = try CorruptionSet(copy) } ?? "read"
    }
  }

  private func write(_ labels: [Int64], _ folder: URL) throws {
    try AtomicFile.write(to: folder.appending(path: "labels.npy")) {
      try NPYArray.write(labels, shape: [labels.count], to: $0)
    }
  }

  @Test func whatIsWrongIsSaid() throws {
    #expect(
      try refusal { try FileManager.default.removeItem(at: $0.appending(path: "labels.npy")) }
        .contains("labels.npy is not there"))
    #expect(try refusal { try write([3, 8, 3], $0) }.contains("10 whole numbers"))
    #expect(
      try refusal { try write([3, 8, 3, 8, 3, 7, 3, 8, 3, 8], $0) }.contains("label 7 of image 5"))
    #expect(try refusal { try write([3, 100], $0) }.contains("label 100"))
    // The labels of the clean images alone do as well.
    #expect(try refusal { try write([3, 8], $0) } == "read")
    #expect(
      try refusal {
        try FileManager.default.copyItem(
          at: Golden.url("data/npy/c-f4.npy"), to: $0.appending(path: "fog.npy"))
      }.contains("five severities"))
    #expect(
      try refusal {
        for name in try sortedNames(in: $0) {
          try FileManager.default.removeItem(at: $0.appending(path: name))
        }
      }.contains("NAME.npy"))
    #expect(
      message { _ = try CorruptionSet(URL(filePath: "/nowhere")) }?.contains("/nowhere") == true)
  }
}
