import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

struct ImageFolderTests {
  private func png(_ image: Int, height: Int = 4, width: Int = 6) throws -> Data {
    try PNG.encode(
      pixels: pattern(image: image, count: height * width * 3), height: height, width: width,
      channels: 3)
  }

  private func load(_ folder: URL, _ split: Split) throws -> ImageSet {
    try loadWithNews(folder, split).set
  }

  /// A set, and the lines that were said about it.
  private func loadWithNews(
    _ folder: URL, _ split: Split, _ options: String = ""
  ) throws -> (set: ImageSet, news: [String]) {
    var news: [String] = []
    let set = try Datasets.load(
      "folder:\(folder.path)\(options)", split: split, directory: folder,
      say: { news.append($0) })
    return (set, news)
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
      let (set, news) = try loadWithNews(folder, .train)
      #expect(set.count == 1 && set.classNames == ["a"] && set.ignoredFiles == 5)
      // Those that somebody hides are nothing to speak of.
      #expect(
        news.count == 1 && news[0].contains("3 other files are passed over (.txt, without an"))
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
      guard case .missing? = datasetError(try load(folder.appending(path: "no"), .train)) else {
        Issue.record("a folder that is not there was taken")
        return
      }
      try folder.write(png(0), to: "training/a/0.png")
      let text = datasetError(try load(folder, .train))?.description
      #expect(text?.contains("it has training") == true && text?.contains("train/CLASS") == true)
      try folder.write([1], to: "train/readme.txt")
      let train = folder.appendingPathComponent("train").path
      guard case .empty(train, _)? = datasetError(try load(folder, .train)) else {
        Issue.record("a split without classes was taken")
        return
      }
      try folder.write(png(0), to: "train/a/0.png")
      try folder.write([1], to: "train/b/notes.txt")
      try folder.write(png(0), to: "train/c/images/0.png")
      guard
        case .empty(let places, let expected)? = datasetError(try load(folder, .train))
      else {
        Issue.record("a class without images was taken")
        return
      }
      #expect(places == "\(train)/b, \(train)/c" && expected.contains("*.png"))
      try FileManager.default.removeItem(atPath: train + "/b")
      #expect(
        datasetError(try load(folder, .train))?.description.contains("not in folders below") == true
      )
    }
  }

  @Test func labelsAreThoseOfTheTrainingClasses() throws {
    try withTemporaryFolder { folder in
      for name in ["a", "b", "c"] { try folder.write(png(0), to: "train/\(name)/0.png") }
      try folder.write(png(1), to: "test/c/0.png")
      let (test, news) = try loadWithNews(folder, .test)
      #expect(test.labels == [2] && test.classNames == ["a", "b", "c"])
      #expect(news.count == 1 && news[0].hasSuffix("test has no images of a, b"))
      for name in ["d", "e"] { try folder.write(png(0), to: "test/\(name)/0.png") }
      guard case .foreign(_, let expected, let found)? = datasetError(try load(folder, .test))
      else {
        Issue.record("a class without training images was taken")
        return
      }
      #expect(expected.contains("a, b, c") && found == "“d”, “e”")
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

  @Test func imagesOfOtherKindsAreRefusedByName() throws {
    try withTemporaryFolder { folder in
      try folder.write(png(0), to: "train/a/0.png")
      for index in 0..<12 { try folder.write([1], to: "train/a/\(index + 10).bmp") }
      try folder.write([1], to: "train/b/0.WebP")
      let text = datasetError(try load(folder, .train))?.description ?? ""
      #expect(text.contains("13 images are of kinds that are not read: 12 .bmp, 1 .webp"))
      #expect(text.contains("train/a/10.bmp") && text.contains("and 3 more"))
      #expect(text.contains("mogrify"))
    }
  }

  @Test func namesThatAreNotUTF8AreToldOf() throws {
    try withTemporaryFolder { folder in
      try folder.write(png(0), to: "train/a/0.png")
      let strange = folder.path + "/train/a/"
      let bytes = Array(strange.utf8) + [0xE9] + Array(".png".utf8) + [0]
      let descriptor = bytes.withUnsafeBufferPointer { buffer in
        buffer.withMemoryRebound(to: CChar.self) {
          $0.baseAddress.map { open($0, O_CREAT | O_WRONLY, 0o644) } ?? -1
        }
      }
      // Some file systems have no such names.
      guard descriptor >= 0 else { return }
      close(descriptor)
      let (set, news) = try loadWithNews(folder, .train)
      #expect(set.count == 1 && set.ignoredFiles == 1)
      #expect(news.count == 1 && news[0].contains("not UTF-8"))
    }
  }

  @Test func allFaultyImagesAreInOneMessage() throws {
    try withTemporaryFolder { folder in
      try folder.write([1, 2], to: "train/a/0.png")
      try folder.write(png(0), to: "train/a/1.png")
      try folder.write(png(0, height: 6, width: 4), to: "train/b/7.png")
      guard case .unusableImages(2, let named)? = datasetError(try load(folder, .train)) else {
        Issue.record("not all were named")
        return
      }
      #expect(named[0].contains("a/0.png") && named[1].contains("6×4 pixels, not 4×6"))
      #expect(named[1].contains("resize=N"))
      for index in 10..<30 { try folder.write([1], to: "train/c/\(index).png") }
      let text = datasetError(try load(folder, .train))?.description ?? ""
      #expect(text.contains("22 images cannot be used") && text.contains("and 12 more"))
      // Where none can be decoded there is no size to compare with.
      try FileManager.default.removeItem(at: folder.appending(path: "train/a"))
      try FileManager.default.removeItem(at: folder.appending(path: "train/b"))
      guard case .unusableImages(20, _)? = datasetError(try load(folder, .train)) else {
        Issue.record("not all were counted")
        return
      }
    }
  }

  // MARK: - Train and test

  @Test func theSameFilesInTrainAndTestAreNamed() throws {
    try withTemporaryFolder { folder in
      for index in 0..<4 { try folder.write(png(index), to: "train/a/\(index).png") }
      try folder.write(png(2), to: "test/a/x.png")
      for split in [Split.train, .test] {
        #expect(
          throws: DatasetError.sameImages(
            name: "folder:\(folder.lastPathComponent)", split: .test, count: 1)
        ) { try load(folder, split) }
      }
      try folder.write(png(9), to: "test/a/w.png")
      for split in [Split.train, .test] {
        let news = try loadWithNews(folder, split).news
        #expect(news.count == 1 && news[0].contains("1 of 2 test images (50.0 %)"))
        #expect(news[0].contains("image 1 is training image 2"))
      }
    }
  }

  // MARK: - Folders of classes alone

  @Test func aFolderOfClassesIsDividedByASeed() throws {
    try withTemporaryFolder { folder in
      for index in 0..<10 { try folder.write(png(index), to: "dog/\(index).png") }
      for index in 10..<40 { try folder.write(png(index), to: "cat/\(index).png") }
      try folder.write([1], to: "notes/readme.txt")
      let train = try load(folder, .train)
      let test = try load(folder, .test)
      #expect(train.classNames == ["cat", "dog"] && test.classNames == ["cat", "dog"])
      #expect(train.classCounts == [24, 8] && test.classCounts == [6, 2])
      let all = train.imageFingerprints + test.imageFingerprints
      #expect(Set(all).count == 40)
      // The draw is the same whenever it is asked for, and another for another seed.
      #expect(try load(folder, .test).fingerprint == test.fingerprint)
      let other = try loadWithNews(folder, .test, ":seed=1").set
      #expect(other.classCounts == [6, 2] && other.fingerprint != test.fingerprint)
      let half = try loadWithNews(folder, .test, ":test=50").set
      #expect(half.classCounts == [15, 5] && half.layout == "image folders")
      let source = try Datasets.source(named: "folder:\(folder.path):seed=3")
      let details = try source.details(in: folder)
      #expect(details.contains("20 % of each class are test images, drawn with seed 3"))
      #expect(details.contains("train    32 images, 2 classes: cat 24, dog 8"))
      #expect(details.contains("test     8 images, 2 classes: cat 6, dog 2"))
      #expect(try source.verify(in: folder).parts.map(\.split) == [.train, .test])
    }
  }

  @Test(arguments: [
    "resize=3", "resize=big", "fit=crop", "background=blue", "seed=-1", "test=100", "rezise=64",
  ])
  func optionsAreChecked(_ option: String) throws {
    try withTemporaryFolder { folder in
      try folder.write(png(0), to: "train/a/0.png")
      let text = datasetError(try loadWithNews(folder, .train, ":" + option).set)?.description
      #expect(text?.contains(option) == true && text?.contains("expected") == true)
    }
  }

  @Test func aPathWithColonsIsAPath() throws {
    try withTemporaryFolder { folder in
      try folder.write(png(0), to: "a:seed=1/train/a/0.png")
      #expect(try load(folder.appending(path: "a:seed=1"), .train).count == 1)
    }
  }
}
