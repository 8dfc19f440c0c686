import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

struct TinyImageNetTests {
  private typealias Folder = TinyImageNetFolder

  @Test func labelsArePlacesAmongTheSortedClasses() throws {
    try withTemporaryFolder { folder in
      _ = try Folder(in: folder)
      let set = try tinyImageNet(in: folder).load(.train, in: folder)
      #expect(set.classNames == ["n00000010", "n00000020", "n00000030"])
      #expect(set.labels == Folder.trainLabels && shape(set) == [64, 64, 3])
      // Among them the gray image, as RGB.
      #expect(set.pixels == Folder.trainPixels)
      #expect(set.name == "tiny-imagenet" && set.layout == "official folders")
    }
  }

  @Test func testIsValInTheOrderOfItsAnnotations() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      let set = try source.load(.test, in: folder)
      #expect(set.labels == [1, 2, 0, 2, 1].reversed())
      #expect(set.pixels == Folder.pixels([4, 3, 2, 1, 0].map(Folder.colour)))
      #expect(set.split == .test)

      // A line without its image is one of a subset; the official file may end its lines in CR LF.
      try FileManager.default.removeItem(at: made.file(Folder.val(3)))
      try made.write(
        "val_1.JPEG\tn00000030\r\n\r\nval_0.JPEG\tn00000020\t1\t2\r\nval_2.JPEG\tn00000010\r\n"
          + "val_3.JPEG\tn00000099\r\nval_4.JPEG\tn00000020\r\nval_4.JPEG\tn00000020\r\n",
        to: "val/val_annotations.txt")
      #expect(try source.load(.test, in: folder).labels == [2, 1, 0, 1])
    }
  }

  @Test func otherFilesArePassedOverAndCounted() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let jpeg = flatJPEG([9])
      try made.write("", to: "train/.DS_Store")
      try made.root.write(jpeg, to: "train/.cache/images/n00000010_5.JPEG")
      try made.root.write(jpeg, to: "train/n00000010/n00000010_5.JPEG")
      for name in [
        "._n00000010_0.JPEG", "Thumbs.db", "n00000010_0 (copy).JPEG", "n00000010_5.JPEG.part",
        "n00000010_.JPEG", "n00000020_5.JPEG",
      ] {
        try made.root.write(jpeg, to: "train/n00000010/images/\(name)")
      }
      try made.root.write(jpeg, to: "val/images/test_0.JPEG")
      try made.root.write(jpeg, to: "val/images/._val_0.JPEG")
      try made.write("", to: "val/notes.txt")
      let source = tinyImageNet(in: folder)
      let train = try source.load(.train, in: folder)
      #expect(train.pixels == Folder.trainPixels && train.ignoredFiles == 9)
      let test = try source.load(.test, in: folder)
      #expect(test.count == 5 && test.ignoredFiles == 3)
    }
  }

  @Test func aSubsetSaysSoInItsTitle() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let part = try tinyImageNet(in: folder).load(.train, in: folder)
      #expect(part.title == "Tiny-ImageNet (subset: 8 of 100,000 images)")
      let whole = tinyImageNet(in: folder, train: 8, test: 1_234_567)
      #expect(try whole.load(.train, in: folder).title == "Tiny-ImageNet")
      #expect(
        try whole.load(.test, in: folder).title
          == "Tiny-ImageNet (subset: 5 of 1,234,567 images)")
      // Classes without images keep their labels.
      try FileManager.default.removeItem(at: made.file("train/n00000020"))
      let fewer = try whole.load(.train, in: folder)
      #expect(fewer.labels == [0, 0, 0, 2, 2, 2] && fewer.classNames.count == 3)
    }
  }

  @Test func moreImagesThanPublishedAreAnotherSet() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      #expect(
        throws: DatasetError.wrongCount(
          what: "\(made.root.path), train,", expected: 7, found: 8)
      ) { try tinyImageNet(in: folder, train: 7).load(.train, in: folder) }
    }
  }

  @Test func theSetIsFoundInItsFolderAndAroundIt() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      for place in [folder, made.root] {
        #expect(source.locate(in: place)?.folder.path == made.root.path)
      }
      let renamed = folder.appendingPathComponent("mine")
      try FileManager.default.moveItem(at: made.root, to: renamed)
      #expect(source.locate(in: folder) == nil)
      #expect(try source.load(.train, in: renamed).count == 8)
      let error = datasetError(try source.load(.train, in: folder))
      #expect(error?.description.contains("unzip -q tiny-imagenet-200.zip") == true)
      #expect(error?.description.contains("http://cs231n.stanford.edu/") == true)
    }
  }

  @Test func onlyTrainAndTestAreThere() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      #expect(
        throws: DatasetError.noSuchSplit(
          name: "tiny-imagenet", split: .validation, available: [.train, .test])
      ) { try source.load(.validation, in: folder) }
      try FileManager.default.removeItem(at: made.file("val"))
      #expect(
        throws: DatasetError.noSuchSplit(name: made.root.path, split: .test, available: [.train])
      ) { try source.load(.test, in: folder) }
    }
  }

  // MARK: - What is wrong with a copy

  @Test func everyUnusableImageIsNamed() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      let small = flatJPEG([1, 2, 3], height: 64, width: 56)
      try made.root.write(small, to: Folder.train[6])
      #expect(
        throws: DatasetError.corruptImage(
          file: made.file(Folder.train[6]).path, reason: "it has 64×56 pixels, not 64×64")
      ) { try source.load(.train, in: folder) }

      try made.root.write(flatJPEG([5]).dropLast(20), to: Folder.train[0])
      try made.root.write(flatJPEG([1, 2, 3, 4]), to: Folder.train[1])
      try made.root.write([], to: Folder.train[4])
      let error = datasetError(try source.load(.train, in: folder))
      guard case .unusableImages(4, let first)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      for (line, index) in zip(first, [0, 1, 4, 6]) {
        #expect(line.hasPrefix(made.file(Folder.train[index]).path + ": "))
      }
      #expect(first.count == 4 && error?.description.contains("and 0 more") == false)
      // Nothing half decoded was kept.
      #expect(!FileManager.default.fileExists(atPath: made.file(".namid-train.pixels").path))
    }
  }

  @Test func tenUnusableImagesAreNamedAndTheRestCounted() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      // Over the size of a piece of the parallel work.
      for index in 100..<700 {
        try made.write("no image", to: "train/n00000020/images/n00000020_\(index).JPEG")
      }
      let error = datasetError(try tinyImageNet(in: folder).load(.train, in: folder))
      guard case .unusableImages(600, let first)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      let start = made.file("train/n00000020/images/n00000020_").path
      let named = first.map { String($0.dropFirst(start.count).prefix(3)) }
      #expect(named == (100..<110).map(String.init))
      #expect(error?.description.contains("and 590 more") == true)
    }
  }

  @Test func imagesWithoutAnnotationAreNamed() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      try made.write("val_1.JPEG\tn00000030\t0\t0\t1\t1\n", to: "val/val_annotations.txt")
      let error = datasetError(try tinyImageNet(in: folder).load(.test, in: folder))
      guard case .foreign(made.file("val/val_annotations.txt").path, _, let found)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(found == "none for val_0.JPEG, val_2.JPEG, val_3.JPEG, val_4.JPEG")
    }
  }

  @Test(arguments: [
    ("val_0.JPEG\tn00000099\t0\t0\t1\t1\n", "n00000099 for val_0.JPEG in line 1"),
    ("val_1.JPEG\tn00000010\nval_0.JPEG n00000010\n", "“val_0.JPEG n00000010” in line 2"),
    (
      "val_0.JPEG\tn00000010\nval_0.JPEG\tn00000020\n", "a second one for val_0.JPEG in line 2"
    ),
  ])
  func anAnnotationThatCannotBeTrueIsNamed(_ text: String, _ expected: String) throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      try made.write(text, to: "val/val_annotations.txt")
      let error = datasetError(try tinyImageNet(in: folder).load(.test, in: folder))
      guard case .foreign(made.file("val/val_annotations.txt").path, _, let found)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(found == expected)
    }
  }

  @Test func aValThatWasSortedIntoClassesIsNamed() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      try FileManager.default.moveItem(
        at: made.file("val/images"), to: made.file("val/n00000010"))
      guard
        case .missing("val/images", _, let remedy)? = datasetError(
          try tinyImageNet(in: folder).load(.test, in: folder))
      else {
        Issue.record("a folder without images was taken")
        return
      }
      #expect(remedy.contains("sorted into folders of classes"))
    }
  }

  @Test(arguments: [
    ("n00000010\nn00000020\n", "n00000030"),
    ("n00000010\nn00000020\nn00000030\nn00000010\n", "4 lines with 3 names"),
    ("n00000010\n../secret\n", "“../secret” in line 2"), ("", "0 lines with 0 names"),
  ])
  func aListOfClassesThatCannotBeTrueIsNamed(_ text: String, _ expected: String) throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      try made.write(text, to: "wnids.txt")
      guard
        case .foreign(_, _, expected)? = datasetError(
          try tinyImageNet(in: folder).load(.train, in: folder))
      else {
        Issue.record("the list was taken")
        return
      }
    }
  }

  @Test func missingFilesAreNamed() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      try FileManager.default.removeItem(at: made.file("val/val_annotations.txt"))
      guard
        case .missing("val_annotations.txt", _, _)? = datasetError(
          try source.load(.test, in: folder))
      else {
        Issue.record("val was read without annotations")
        return
      }
      try FileManager.default.removeItem(at: made.file("wnids.txt"))
      guard case .missing("wnids.txt", _, _)? = datasetError(try source.load(.train, in: folder))
      else {
        Issue.record("train was read without its classes")
        return
      }
    }
  }

  @Test func splitsWithoutImagesAreNamed() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      for name in Folder.classes {
        try FileManager.default.moveItem(
          at: made.file("train/\(name)/images"), to: made.file("train/\(name)/pictures"))
      }
      guard
        case .empty(made.file("train").path, let expected)? = datasetError(
          try tinyImageNet(in: folder).load(.train, in: folder))
      else {
        Issue.record("a split without images was taken")
        return
      }
      #expect(expected.contains("n00000010/images/n00000010_0.JPEG"))
    }
  }

  @Test func verifyingReadsTheFilesAndSaysThatASubsetIsOne() throws {
    try withTemporaryFolder { folder in
      let made = try Folder(in: folder)
      let source = tinyImageNet(in: folder)
      let news = try loadWithNews(source, .train, in: folder).news
      #expect(news.count == 2)
      let whole = try source.verify(in: folder) { _ in }
      #expect(whole.isUsable && whole.parts.map(\.count) == [8, 5] && !whole.isOfficial)
      #expect(whole.description.contains("train: a subset, 8 of 100,000 images"))
      #expect(whole.description.hasSuffix("say so beside every figure"))
      let exact = try tinyImageNet(in: folder, train: 8, test: 5).verify(in: folder) { _ in }
      #expect(exact.isUsable && exact.differences.isEmpty)

      // Of the same size and age, so that the cache is still good: the check must not use it.
      try ageAndReplace(made.file(Folder.train[3]), with: nil)
      _ = try source.load(.train, in: folder)
      try ageAndReplace(made.file(Folder.train[3]), with: UInt8(ascii: "x"))
      #expect(try source.load(.train, in: folder).pixels == Folder.trainPixels)
      let damaged = try source.verify(in: folder) { _ in }
      #expect(damaged.problems.count == 1 && damaged.problems[0].contains(Folder.train[3]))
    }
  }
}

/// Gives a file a fixed age, and another content of the same length where one is wanted.
func ageAndReplace(_ file: URL, with byte: UInt8?) throws {
  if let byte {
    let count = try Data(contentsOf: file).count
    try Data(repeating: byte, count: count).write(to: file)
  }
  try FileManager.default.setAttributes(
    [.modificationDate: Date(timeIntervalSince1970: 1_500_000_000)], ofItemAtPath: file.path)
}
