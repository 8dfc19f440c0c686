import Foundation

/// SVHN: 99,289 colour images of 32×32, digits of house numbers.
///
/// Y. Netzer et al., "Reading digits in natural images with unsupervised feature learning", 2011. Read from the files
/// of cropped digits, `train_32x32.mat` and `test_32x32.mat`. The makers' label 10 is the digit 0.
public struct SVHN: DatasetSource {
  /// `svhn`.
  public let name = "svhn"
  /// `SVHN`.
  public let title = "SVHN"
  /// The makers' page.
  public let origin = "http://ufldl.stanford.edu/housenumbers (Stanford)"
  /// The terms on the makers' page.
  public let licence = "non-commercial use only"
  /// 73,257 and 26,032 images.
  public let expectedCounts: [Split: Int]
  private let published: [PublishedFile]

  /// The set as it was published; MD5 is what several other libraries check for.
  public init() {
    self.init(
      train: 73_257, test: 26_032,
      published: [
        PublishedFile(
          name: "train_32x32.mat", digest: .md5("e26dedcc434d2e4c54c9b2d4a06d8373")),
        PublishedFile(name: "test_32x32.mat", digest: .md5("eb5a983be6a315427106f1b164d9cef3")),
      ])
  }

  init(train: Int, test: Int, published: [PublishedFile] = []) {
    expectedCounts = [.train: train, .test: test]
    self.published = published
  }

  private static func file(of split: Split) -> String {
    split == .train ? "train_32x32.mat" : "test_32x32.mat"
  }

  /// `svhn`, `SVHN` and the directory itself.
  public func candidates(in directory: URL) -> [URL] {
    places(["svhn", "SVHN", "."], in: directory)
  }

  /// `matlab`, where one of the files is.
  public func layout(of folder: URL) -> String? {
    [Split.train, .test].contains {
      Files.isFile(folder.appendingPathComponent(Self.file(of: $0)))
    } ? "matlab" : nil
  }

  /// Reads a split.
  public func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    let place = location.folder.appendingPathComponent(Self.file(of: split))
    let file = try MATLABFile(place)
    let images = try file.array("X")
    let side = 32
    guard images.shape.count == 4, images.shape.prefix(3) == [side, side, 3],
      images.element == .uint8
    else {
      throw file.foreign(expected: "X: uint8 (32, 32, 3, N)", found: images.kind)
    }
    let count = images.shape[3]
    let labels = try file.array("y")
    let values = labels.element.doubles(labels.bytes).compactMap { Int(exactly: $0) }
    guard values.count == count, labels.shape.reduce(1, *) == count else {
      throw file.foreign(
        expected: "y: \(count) whole numbers, one for each image", found: labels.kind)
    }
    for (index, label) in values.enumerated() where !(1...10).contains(label) {
      throw DatasetError.unfit(
        file: place.path, problem: "label \(label) of image \(index)",
        remedy: "The labels of SVHN go from 1 to 10, which is the digit 0.")
    }
    return ImageSet(
      name: name, title: title, split: split, height: side, width: side, channels: 3,
      classNames: (0...9).map(String.init), pixels: Self.pixels(images.bytes, side: side),
      labels: values.map { $0 % 10 }, layout: location.layout)
  }

  /// Values by image, row, column and colour, out of the order row, column, colour, image with rows fastest.
  private static func pixels(_ columns: [UInt8], side: Int) -> [UInt8] {
    let area = side * side
    return [UInt8](unsafeUninitializedCapacity: columns.count) { buffer, filled in
      for start in stride(from: 0, to: columns.count, by: 3 * area) {
        for row in 0..<side {
          for column in 0..<side {
            for channel in 0..<3 {
              buffer[start + (row * side + column) * 3 + channel] =
                columns[start + channel * area + column * side + row]
            }
          }
        }
      }
      filled = columns.count
    }
  }

  /// The two files.
  public func publishedFiles(of layout: String) -> [PublishedFile] { published }

  /// Writes advice to download the two files.
  public func advice(for directory: URL) -> String {
    "Download train_32x32.mat and test_32x32.mat from \(origin) into "
      + "\(directory.appendingPathComponent("svhn").path)."
  }

  /// Says where to get the files: they are not downloaded.
  public func fetch(into directory: URL, say: (String) -> Void) throws {
    if isWhole(in: directory, say: say) { return }
    throw DatasetError.fetchFailed(
      name: name, reasons: ["this tool does not download from the makers' page"],
      remedy: advice(for: directory))
  }
}
