import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidData

@Suite(.serialized) struct OwnArraysTests {
  typealias Tensors = [(name: String, tensor: Tensor)]

  /// A set, and the lines that were said about it.
  func load(_ name: String, _ split: Split = .test) throws -> (set: ImageSet, news: [String]) {
    var news: [String] = []
    let set = try Datasets.load(
      name, split: split, directory: URL(filePath: "/nowhere"), say: { news.append($0) })
    return (set, news)
  }

  /// The set of a file with these tensors.
  func load(
    _ tensors: Tensors, metadata: [String: String] = [:], options: String = ""
  ) throws -> (set: ImageSet, news: [String]) {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "images.safetensors")
      try Weights.write(tensors, metadata: metadata, to: url)
      return try load("file:\(url.path)\(options)")
    }
  }

  let bytes = (0..<24).map { UInt8($0 * 10) }
  var images: Tensor { Tensor(bytes, shape: [2, 3, 2, 2]) }
  let labels = Tensor([2, 0], shape: [2])
  /// The pixels of `images` with channels last.
  let interleaved: [UInt8] = [
    0, 40, 80, 10, 50, 90, 20, 60, 100, 30, 70, 110,
    120, 160, 200, 130, 170, 210, 140, 180, 220, 150, 190, 230,
  ]

  @Test func imagesAreReadChannelsLast() throws {
    let (set, news) = try load([("images", images), ("labels", labels)])
    #expect(set.labels == [2, 0] && set.classNames.count == 3 && news.isEmpty)
    #expect(shape(set) == [2, 2, 3] && set.pixels == interleaved)
    #expect(set.layout == "safetensors" && set.title == "images")
    let stated = try load([("images", images), ("labels", labels)], metadata: ["classes": "10"])
    #expect(stated.set.classNames.count == 10)
    let asked = try load([("images", images), ("labels", labels)], options: ":classes=7")
    #expect(
      asked.set.classNames.count == 7 && asked.set.name == "file:images.safetensors:classes=7")
  }

  @Test func channelsLastIsReadWithAWord() throws {
    let last = images.permute([0, 2, 3, 1]).contiguous()
    let (set, news) = try load([("images", last), ("labels", labels)])
    #expect(set.pixels == interleaved && shape(set) == [2, 2, 3])
    #expect(news.count == 1 && news[0].contains("(2, 2, 2, 3) is read as (N, H, W, C)"))
    let gray = try load([
      ("images", Tensor(bytes, shape: [2, 4, 3])), ("labels", labels),
    ])
    #expect(gray.set.pixels == bytes && shape(gray.set) == [4, 3, 1])
    #expect(gray.news.count == 1 && gray.news[0].contains("(N, H, W)"))
  }

  @Test(arguments: [DType.float32, .float64, .float16, .bfloat16])
  func floatsAreReadAsTheBytesThatTheyWere(_ dtype: DType) throws {
    let scaled = (images.to(.float64) / 255).to(dtype)
    let (set, news) = try load([("images", scaled), ("labels", labels)])
    #expect(set.pixels == interleaved)
    // Halves between levels do not hold the levels exactly; only the coarsest type is worth a word.
    #expect(news.contains { $0.contains("rounded") } == (dtype == .bfloat16 || dtype == .float16))
  }

  @Test(arguments: [DType.int64, .int32, .int16, .int8, .uint8, .float32])
  func labelsOfEveryTypeOfWholeNumbersAreRead(_ dtype: DType) throws {
    let (set, news) = try load([("images", images), ("labels", labels.to(dtype))])
    #expect(set.labels == [2, 0])
    #expect(news.count == (dtype == .float32 ? 1 : 0))
  }

  @Test func oneHotAndColumnLabelsAreReadWithAWord() throws {
    let hot = try load([
      ("images", images), ("labels", Tensor([0, 0, 1, 1, 0, 0], shape: [2, 3])),
    ])
    #expect(hot.set.labels == [2, 0] && hot.news.contains { $0.contains("one-hot") })
    let column = try load([("images", images), ("labels", labels.view([2, 1]))])
    #expect(column.set.labels == [2, 0] && column.news.count == 1)
    let late = try load([("images", images), ("labels", labels + 1)])
    #expect(
      late.set.labels == [3, 1] && late.news.contains { $0.contains("no image has the label 0") })
  }

  @Test func whatIsWrongIsSaid() throws {
    func message(_ tensors: Tensors, _ metadata: [String: String] = [:]) -> String {
      NamidTestSupport.message { _ = try load(tensors, metadata: metadata) } ?? "read"
    }
    func images(_ tensor: Tensor) -> String {
      message([("images", tensor), ("labels", self.labels)])
    }
    func labels(_ tensor: Tensor) -> String {
      message([("images", self.images), ("labels", tensor)])
    }
    #expect(message([("labels", self.labels)]).contains("images and labels"))
    #expect(message([("images", self.images)]).contains("images and labels"))
    let float = self.images.to(.float32)
    #expect(images(float).contains("from 0 to 230") && images(float).contains("Divide by 255"))
    #expect(images(float / 100 - 1).contains("from -1 to 1.3"))
    #expect(images(float / 100 - 1).contains("Undo the normalisation"))
    #expect(images(float / 0).contains("not finite"))
    for dtype in [DType.int8, .int16, .int32, .int64] {
      #expect(images((self.images / 2).to(dtype)).contains("images of \(dtype), from 0 to 115"))
    }
    #expect(images(self.images.to(.bool)).contains("images of bool"))
    #expect(images(Tensor(bytes, shape: [24])).contains("images of shape (24,)"))
    #expect(images(Tensor(bytes + bytes + bytes + bytes, shape: [2, 4, 3, 4])).contains("fourth"))
    #expect(labels(Tensor([1], shape: [1])).contains("(1,) for 2 images"))
    #expect(labels(Tensor([Float(0.5), 1], shape: [2])).contains("0.5"))
    #expect(labels(self.labels.to(.bool)).contains("labels of bool"))
    #expect(labels(Tensor([Float(0.5), 0.5, 1, 0], shape: [2, 2])).contains("no whole numbers"))
    #expect(labels(Tensor([1, 1, 1, 0], shape: [2, 2])).contains("not one-hot"))
    #expect(labels(Tensor([-1, 0], shape: [2])).contains("label -1 of image 0"))
    #expect(labels(Tensor([.max, 0], shape: [2])).contains("label 9223372036854775807"))
    #expect(
      message([("images", self.images), ("labels", self.labels)], ["classes": "2"])
        .contains("expected 0 to 1"))
    let absent = NamidTestSupport.message { _ = try load("file:/nowhere/at/all.safetensors") }
    #expect(absent?.contains("/nowhere/at/all.safetensors") == true)
  }

  @Test(arguments: ["classes=0", "classes=x", "classes=65537", "clases=3"])
  func optionsAreChecked(_ option: String) throws {
    let text = message {
      _ = try load([("images", images), ("labels", labels)], options: ":" + option)
    }
    #expect(text?.contains(option) == true && text?.contains("expected") == true)
  }

  // MARK: - Splits

  @Test func oneFileIsMeasuredOnAndNotTrainedOn() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "x.safetensors")
      try Weights.write([("images", images), ("labels", labels)], metadata: [:], to: url)
      #expect(try load("file:\(url.path)").set.split == .test)
      #expect(
        throws: DatasetError.noTrainingImages(name: "file:x.safetensors")
      ) { try load("file:\(url.path)", .train) }
      let source = try Datasets.source(named: "file:\(url.path)")
      let verification = try source.verify(in: folder)
      #expect(verification.parts.map(\.split) == [.test] && verification.isUsable)
      #expect(try source.details(in: folder).contains("class 0 1, class 1 0, class 2 1"))
    }
  }

  /// Two files with images of these values, and the name of both.
  private func withPair(
    _ train: [UInt8], _ test: [UInt8], _ body: (String) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      for (name, values) in [("a", train), ("b", test)] {
        let pixels = values.flatMap { [UInt8](repeating: $0, count: 4) }
        let labels = values.indices.map { name == "a" ? $0 : 0 }
        try Weights.write(
          [
            ("images", Tensor(pixels, shape: [values.count, 1, 2, 2])),
            ("labels", Tensor(labels, shape: [values.count])),
          ], metadata: [:], to: folder.appending(path: "\(name).safetensors"))
      }
      let places = ["a", "b"].map { folder.appending(path: "\($0).safetensors").path }
      try body("file:" + places.joined(separator: ","))
    }
  }

  @Test func twoFilesAreTrainingAndTestImages() throws {
    try withPair([1, 2, 3], [4, 5]) { name in
      let (train, news) = try load(name, .train)
      let test = try load(name).set
      #expect(train.labels == [0, 1, 2] && test.count == 2 && news.isEmpty)
      // The classes of the training images are those of the test images.
      #expect(test.classNames.count == 3 && test.title == "b" && train.title == "b")
      #expect(train.name == "file:a.safetensors,b.safetensors")
      #expect(
        throws: DatasetError.noSuchSplit(
          name: train.name, split: .validation, available: [.train, .test])
      ) { try load(name, .validation) }
      let long = Datasets.withAbsolutePaths(name)
      #expect(long == name && Datasets.withAbsolutePaths("cifar10") == "cifar10")
    }
  }

  @Test func imagesOfBothSplitsAreNamed() throws {
    try withPair([1, 2, 3, 4], [9, 3, 8, 1]) { name in
      for split in [Split.train, .test] {
        let news = try load(name, split).news
        #expect(news.count == 1)
        #expect(news[0].contains("2 of 4 test images (50.0 %) are training images, too"))
        #expect(news[0].contains("image 1 is training image 2"))
      }
    }
    try withPair([1, 2, 3, 4], [4, 1]) { name in
      for split in [Split.train, .test] {
        #expect(
          throws: DatasetError.sameImages(
            name: "file:a.safetensors,b.safetensors", split: .test, count: 2)
        ) { try load(name, split) }
      }
    }
  }

  @Test func relativeNamesBecomeAbsolute() {
    let here = FileManager.default.currentDirectoryPath
    #expect(
      Datasets.withAbsolutePaths("file:a/x.npz,../y.npz:classes=3")
        == "file:\(here)/a/x.npz,\(URL(filePath: here).deletingLastPathComponent().path)/y.npz:classes=3"
    )
    #expect(
      Datasets.withAbsolutePaths("folder:photos:resize=64:fit=pad")
        == "folder:\(here)/photos:fit=pad:resize=64")
  }

  // MARK: - NumPy

  private struct Expected: Decodable {
    var pixels: [UInt8]
    var labels: [Int]
    var between: [UInt8]
  }

  private func npz(_ name: String) -> String { "file:" + Golden.url("data/npz/\(name).npz").path }

  @Test func archivesOfNumPyAreRead() throws {
    let expected: Expected = try Golden.json("data/npz/npz")
    let (train, news) = try load(npz("splits"), .train)
    let test = try load(npz("splits")).set
    #expect(train.pixels + test.pixels == expected.pixels)
    #expect(train.labels + test.labels == expected.labels)
    #expect(shape(train) == [4, 5, 3] && test.classNames.count == 4 && test.layout == "npz")
    #expect(news.count == 2 && news.allSatisfy { $0.contains("(N, H, W, C)") })

    let floats = try load(npz("floats"))
    #expect(floats.set.pixels == expected.pixels && floats.set.labels == expected.labels)
    #expect(!floats.news.contains { $0.contains("rounded") })
    let between = try load(npz("between"))
    #expect(between.set.pixels == expected.between && between.set.labels == expected.labels)
    #expect(between.news.contains { $0.contains("rounded, by at most 0.001") })
  }

  @Test func theNamesOfMedMNISTAreKnown() throws {
    let expected: Expected = try Golden.json("data/npz/npz")
    let red = stride(from: 0, to: expected.pixels.count, by: 3).map { expected.pixels[$0] }
    let sets = try Split.allCases.map { try load(npz("medmnist"), $0).set }
    #expect(sets.map(\.count) == [3, 1, 2] && sets.flatMap(\.pixels) == red)
    #expect(sets.flatMap(\.labels) == expected.labels && shape(sets[0]) == [4, 5, 1])
  }

  @Test func filesOfNumPyAreReadInPairsAndFromAFolder() throws {
    try withTemporaryFolder { folder in
      let archive = try ZipArchive(Golden.url("data/npz/splits.npz"))
      for entry in archive.entries {
        try folder.write(try archive.content(of: entry), to: "arrays/\(entry.name)")
      }
      let place = folder.appending(path: "arrays").path
      let train = try load(npz("splits"), .train).set
      let test = try load(npz("splits")).set
      let names = ["x_train", "y_train", "x_test", "y_test"].map { "\(place)/\($0).npy" }
      for name in ["file:\(place)", "folder:\(place)", "file:" + names.joined(separator: ",")] {
        #expect(try load(name, .train).set.fingerprint == train.fingerprint)
        #expect(try load(name).set.fingerprint == test.fingerprint)
      }
      for name in ["file:\(names[2]),\(names[3])", "file:\(names[2])"] {
        #expect(try load(name).set.pixels == test.pixels && load(name).set.title == "arrays")
        #expect(throws: DatasetError.self) { try load(name, .train) }
      }
      let three = message { _ = try load("file:" + names.prefix(3).joined(separator: ",")) }
      #expect(three?.contains("3 files") == true)
      try FileManager.default.removeItem(atPath: names[3])
      let alone = message { _ = try load("file:\(names[2])") }
      #expect(alone?.contains("Name both files") == true)
    }
  }
}
