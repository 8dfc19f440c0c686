import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

/// CIFAR-100 in small, in the real formats.
struct CIFAR100Tests {
  private let fine = CIFAR100(.fine, train: 3, test: 2)
  private let coarse = CIFAR100(.coarse, train: 3, test: 2)
  /// Labels of groups and classes.
  private static let labels = (train: [(0, 4), (19, 99), (7, 7)], test: [(1, 1), (2, 92)])

  private static func image(_ index: Int) -> [UInt8] { pattern(image: index, count: 3072) }

  private static func binary(_ labels: [(Int, Int)], from first: Int) -> [UInt8] {
    labels.enumerated().flatMap { index, label in
      [UInt8(label.0), UInt8(label.1)] + planes(of: image(first + index))
    }
  }

  private static func python(_ labels: [(Int, Int)], from first: Int) -> [UInt8] {
    let data = labels.indices.flatMap { planes(of: image(first + $0)) }
    return PickleWriter.dictionary([
      ("filenames", PickleWriter.list(labels.map { _ in PickleWriter.string("x.png") })),
      ("batch_label", PickleWriter.string("training batch 1 of 1")),
      ("fine_labels", PickleWriter.labels(labels.map(\.1))),
      ("coarse_labels", PickleWriter.labels(labels.map(\.0))),
      ("data", PickleWriter.array(shape: [labels.count, 3072], data: data)),
    ])
  }

  private func expectWhole(_ folder: URL, _ layout: String) throws -> String {
    let train = try fine.load(.train, in: folder)
    #expect(train.labels == [4, 99, 7] && train.layout == layout)
    #expect(train.pixels == (0..<3).flatMap { Self.image($0) } && shape(train) == [32, 32, 3])
    #expect(train.classNames.count == 100 && train.name == "cifar100")
    let groups = try coarse.load(.test, in: folder)
    #expect(groups.labels == [1, 2] && groups.classNames.count == 20)
    #expect(groups.title == "CIFAR-100 (coarse labels)" && groups.name == "cifar100-coarse")
    return train.fingerprint
  }

  @Test func bothLayoutsHoldTheSameImages() throws {
    try withTemporaryFolder { folder in
      let (one, two) = (folder.appending(path: "b"), folder.appending(path: "p"))
      for (name, labels, first) in [("train", Self.labels.train, 0), ("test", Self.labels.test, 3)]
      {
        try one.write(Self.binary(labels, from: first), to: "cifar-100-binary/\(name).bin")
        try two.write(Self.python(labels, from: first), to: "cifar-100-python/\(name)")
      }
      #expect(try expectWhole(one, "binary") == expectWhole(two, "python"))
      let cut = two.appending(path: "cifar-100-python/train")
      try Data(contentsOf: cut).dropLast(9).write(to: cut)
      #expect(throws: DatasetError.self) { try fine.load(.train, in: two) }
      try one.write(Self.binary([(0, 100), (0, 0)], from: 0), to: "cifar-100-binary/test.bin")
      guard case .labelOutOfRange(_, 0, 100, 100)? = datasetError(try fine.load(.test, in: one))
      else {
        Issue.record("the class 100 was taken")
        return
      }
    }
  }

  @Test func namesOfOtherClassesAreForeign() throws {
    try withTemporaryFolder { folder in
      let place = folder.appending(path: "cifar-100-binary")
      try place.write(Self.binary(Self.labels.test, from: 0), to: "test.bin")
      let names = CIFAR100.fineNames.joined(separator: "\n")
      try place.write(Data((names + "\n").utf8), to: "fine_label_names.txt")
      #expect(try fine.load(.test, in: folder).count == 2)
      try place.write(Data(names.replacing("worm", with: "wyrm").utf8), to: "fine_label_names.txt")
      guard case .foreign? = datasetError(try fine.load(.test, in: folder)) else {
        Issue.record("other names were taken")
        return
      }
    }
  }

  @Test func theNamesAreSortedAndDistinct() {
    let names = CIFAR100.fineNames
    #expect(names.count == 100 && names == names.sorted() && Set(names).count == 100)
    #expect(CIFAR100(.coarse).classNames.count == 20)
  }
}
