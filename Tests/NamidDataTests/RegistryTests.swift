import Foundation
import NamidData
import NamidTestSupport
import Testing

struct RegistryTests {
  @Test func namesAreDistinctAndFindTheirSets() throws {
    let names = Datasets.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.prefix(2) == ["fashion-mnist", "cifar10"])
    for name in names { #expect(try Datasets.source(named: name).name == name) }
    for source in Datasets.all {
      #expect(!source.title.isEmpty && source.origin.contains("http") && !source.licence.isEmpty)
    }
  }

  @Test(arguments: [
    ("cifar-10", ["cifar10"]), ("CIFAR10", ["cifar10"]), ("fashion", ["fashion-mnist"]),
    ("fashion_mnist", ["fashion-mnist"]), ("imagenet", ["tiny-imagenet"]), ("stl10", []),
    ("cifar-100", ["cifar100"]),
    ("folder:", []),
  ])
  func unknownNamesComeWithTheNearest(_ name: String, _ nearest: [String]) throws {
    guard
      case .unknownName(name, let found, let known)? = datasetError(
        try Datasets.source(named: name))
    else {
      Issue.record("\(name) was found")
      return
    }
    #expect(found == nearest)
    #expect(known == Datasets.all.map(\.name) + ["folder:PATH", "file:PATH"])
  }

  @Test func aMissingSetSaysWhereItWasLookedForAndWhatToDo() throws {
    try withTemporaryFolder { folder in
      let error = datasetError(try Datasets.load("cifar10", split: .train, directory: folder))
      guard case .missing("CIFAR-10", let places, let remedy)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(places.contains(folder.path + "/cifar-10-batches-bin"))
      #expect(places.contains(folder.path + "/cifar10"))
      #expect(remedy.contains("Fetch cifar10 into \(folder.path)"))
      #expect(error?.description.contains(folder.path) == true)
      #expect(CIFAR10().locate(in: folder) == nil)
    }
  }

  @Test func validationIsNotASplitOnDisk() throws {
    try withTemporaryFolder { folder in
      try folder.write([], to: "fashion-mnist/train-images-idx3-ubyte.gz")
      #expect(
        throws: DatasetError.noSuchSplit(
          name: "fashion-mnist", split: .validation, available: [.train, .test])
      ) { try Datasets.load("fashion-mnist", split: .validation, directory: folder) }
    }
  }

  @Test func theSummarySaysWhereASetLies() throws {
    try withTemporaryFolder { folder in
      try folder.write([], to: "cifar-10-batches-bin/test_batch.bin")
      #expect(CIFAR10().locate(in: folder)?.layout == "binary")
      let summary = CIFAR10().summary(in: folder)
      #expect(summary.contains("50000 train, 10000 test"))
      #expect(summary.contains(folder.path + "/cifar-10-batches-bin"))
    }
  }

  @Test func verifyingNamesWhatIsWrong() throws {
    try withTemporaryFolder { folder in
      let png = try PNG.encode(pixels: [1, 2, 3], height: 1, width: 1, channels: 3)
      try folder.write(png, to: "train/a/0.png")
      try folder.write(Data("junk".utf8), to: "test/a/0.png")
      let result = try Datasets.source(named: "folder:\(folder.path)").verify(in: folder)
      #expect(result.parts.map(\.split) == [.train] && result.parts.map(\.count) == [1])
      #expect(result.problems.count == 1 && result.problems[0].contains("test/a/0.png"))
      #expect(!result.isUsable && !result.isOfficial)

      let other = try PNG.encode(pixels: [4, 5, 6], height: 1, width: 1, channels: 3)
      try folder.write(other, to: "test/a/0.png")
      let repaired = try Datasets.source(named: "folder:\(folder.path)").verify(in: folder)
      #expect(repaired.isUsable && !repaired.isOfficial && repaired.problems.isEmpty)
    }
  }

  @Test func theSetsOwnFolderCanBeNamed() throws {
    try withTemporaryFolder { folder in
      let own = folder.appendingPathComponent("somewhere")
      try own.write([1, 2, 3], to: "test_batch.bin")
      guard
        case .truncated(own.path + "/test_batch.bin", 30_730_000, 3)? = datasetError(
          try Datasets.load("cifar10", split: .test, directory: folder, folder: own))
      else {
        Issue.record("the folder was not used")
        return
      }
    }
  }
}
