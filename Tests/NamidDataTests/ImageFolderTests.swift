import Foundation
import NamidData
import NamidTestSupport
import Testing

struct ImageFolderTests {
  private func png(_ image: Int, height: Int = 4, width: Int = 6) throws -> Data {
    try PNG.encode(
      pixels: pattern(image: image, count: height * width * 3), height: height, width: width,
      channels: 3)
  }

  private func load(_ folder: URL, _ split: Split) throws -> ImageSet {
    try Datasets.load("folder:\(folder.path)", split: split, directory: folder)
  }

  @Test func imagesComeInTheOrderOfTheirNames() throws {
    try withTemporaryFolder { folder in
      try folder.write(png(2), to: "train/zebra/b.png")
      try folder.write(png(1), to: "train/zebra/a.PNG")
      try folder.write(png(0), to: "train/Äpfel/x.png")
      try folder.write(png(3), to: "train/ant/10.png")
      try folder.write(png(4), to: "train/ant/9.png")
      let set = try load(folder, .train)
      // By bytes: a capital umlaut comes after z, 10 before 9, capitals before small letters.
      #expect(set.classNames == ["ant", "zebra", "Äpfel"])
      #expect(set.labels == [0, 0, 1, 1, 2])
      #expect(set.pixels == [3, 4, 1, 2, 0].flatMap { pattern(image: $0, count: 72) })
      #expect(shape(set) == [4, 6, 3] && set.ignoredFiles == 0)
      #expect(set.layout == "image folders" && set.name == "folder:\(folder.lastPathComponent)")
    }
  }

  @Test func manyImagesAreDecodedIntoTheirOwnPlaces() throws {
    try withTemporaryFolder { folder in
      for index in 0..<600 {
        let name = String(index + 1_000)
        try folder.write(png(index, height: 2, width: 2), to: "train/only/\(name).png")
      }
      let set = try load(folder, .train)
      #expect(set.pixels == (0..<600).flatMap { pattern(image: $0, count: 12) })
    }
  }

  @Test func otherFilesArePassedOverAndCounted() throws {
    try withTemporaryFolder { folder in
      try folder.write(png(0), to: "train/a/0.png")
      try folder.write([1], to: "train/a/.hidden.png")
      try folder.write([1], to: "train/a/labels.txt")
      try folder.write([1], to: "train/a/noending")
      try folder.write([1], to: "train/readme.txt")
      try folder.write(png(1), to: "train/.cache/0.png")
      let set = try load(folder, .train)
      #expect(set.count == 1 && set.classNames == ["a"] && set.ignoredFiles == 5)
    }
  }

  @Test func aCorruptImageIsNamed() throws {
    try withTemporaryFolder { folder in
      for index in 0..<300 { try folder.write(png(index), to: "train/a/\(index + 100).png") }
      let file = try folder.write(png(1).dropLast(4), to: "train/a/250.png")
      guard case .corruptImage(file.path, let reason)? = datasetError(try load(folder, .train))
      else {
        Issue.record("the corrupt image was not named")
        return
      }
      #expect(reason.contains("ends before"))
    }
  }

  @Test func corruptImagesAreNamedInTheirOrder() throws {
    try withTemporaryFolder { folder in
      for index in 0..<300 { try folder.write(png(index), to: "train/a/\(index + 100).png") }
      let last = try folder.write(png(1).dropLast(20), to: "train/a/399.png")
      let first = try folder.write(png(1).dropLast(4), to: "train/a/250.png")
      guard case .unusableImages(2, let named)? = datasetError(try load(folder, .train)) else {
        Issue.record("the corrupt images were not named")
        return
      }
      #expect(named.count == 2 && named[0].contains("ends before"))
      #expect(named[0].hasPrefix(first.path) && named[1].hasPrefix(last.path))
    }
  }

  @Test func theOddSizeIsNamed() throws {
    try withTemporaryFolder { folder in
      let first = try folder.write(png(0), to: "train/a/0.png")
      let odd = try folder.write(png(0, height: 6, width: 4), to: "train/b/7.png")
      #expect(
        throws: DatasetError.mixedSizes(
          file: odd.path, found: "6×4", expected: "4×6", reference: first.path)
      ) { try load(folder, .train) }
    }
  }

  @Test func emptyPlacesAreNamed() throws {
    try withTemporaryFolder { folder in
      guard case .missing? = datasetError(try load(folder, .train)) else {
        Issue.record("a folder without splits was taken")
        return
      }
      try folder.write([1], to: "train/readme.txt")
      let train = folder.appendingPathComponent("train").path
      guard case .empty(train, _)? = datasetError(try load(folder, .train)) else {
        Issue.record("a split without classes was taken")
        return
      }
      try folder.write(png(0), to: "train/a/0.png")
      try folder.write([1], to: "train/b/notes.txt")
      guard case .empty(train + "/b", _)? = datasetError(try load(folder, .train)) else {
        Issue.record("a class without images was taken")
        return
      }
    }
  }

  @Test func labelsAreThoseOfTheTrainingClasses() throws {
    try withTemporaryFolder { folder in
      for name in ["a", "b", "c"] { try folder.write(png(0), to: "train/\(name)/0.png") }
      try folder.write(png(0), to: "test/c/0.png")
      let test = try load(folder, .test)
      #expect(test.labels == [2] && test.classNames == ["a", "b", "c"])
      try folder.write(png(0), to: "test/d/0.png")
      guard case .foreign? = datasetError(try load(folder, .test)) else {
        Issue.record("a class without training images was taken")
        return
      }
    }
  }

  @Test func valIsTestUnlessThereIsATest() throws {
    try withTemporaryFolder { folder in
      try folder.write(png(0), to: "train/a/0.png")
      try folder.write(png(1), to: "val/a/0.png")
      #expect(try load(folder, .test).pixels == pattern(image: 1, count: 72))
      guard
        case .noSuchSplit(_, .validation, [.train, .test])? = datasetError(
          try load(folder, .validation))
      else {
        Issue.record("the test images were given for validation too")
        return
      }
      try folder.write(png(2), to: "test/a/0.png")
      #expect(try load(folder, .test).pixels == pattern(image: 2, count: 72))
      #expect(try load(folder, .validation).pixels == pattern(image: 1, count: 72))
    }
  }
}
