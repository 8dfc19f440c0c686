import Foundation

/// CIFAR-10: 60,000 colour images of 32×32 in ten classes.
///
/// A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009. Read from the
/// binary or the Python distribution, or from folders `train/CLASS/*`, `test/CLASS/*`.
public struct CIFAR10: DatasetSource {
  /// `cifar10`.
  public let name = "cifar10"
  /// `CIFAR-10`.
  public let title = "CIFAR-10"
  /// The maker's page.
  public let origin = "https://www.cs.toronto.edu/~kriz/cifar.html (Alex Krizhevsky)"
  /// The terms on the maker's page.
  public let licence = "none stated; the makers ask to cite their technical report"
  private let imagesPerBatch: Int
  private let archives: [DatasetArchive]

  /// The set as it was published.
  public init() { self.init(imagesPerBatch: 10_000, archives: Self.official) }

  init(imagesPerBatch: Int, archives: [DatasetArchive] = []) {
    self.imagesPerBatch = imagesPerBatch
    self.archives = archives
  }

  /// 50,000 and 10,000 images.
  public var expectedCounts: [Split: Int] { [.train: 5 * imagesPerBatch, .test: imagesPerBatch] }

  /// The official folder names, `cifar10`, and the directory itself.
  public func candidates(in directory: URL) -> [URL] {
    let official = ["cifar-10-batches-bin", "cifar-10-batches-py"]
    return places(
      official + ["cifar10"] + official.map { "cifar10/\($0)" } + ["."], in: directory)
  }

  /// `binary`, `python` or `image folders`, by what is there.
  public func layout(of folder: URL) -> String? {
    let batches = CIFARLayout.batches(of: .train) + CIFARLayout.batches(of: .test)
    if batches.contains(where: { Files.isFile(folder.appendingPathComponent($0 + ".bin")) }) {
      return "binary"
    }
    if batches.contains(where: { Files.isFile(folder.appendingPathComponent($0)) }) {
      return "python"
    }
    // A folder `train` alone may be anything: the first class must be there too.
    let hasClasses = [Split.train, .test].contains {
      guard let split = ImageFolders.folder(of: $0, in: folder) else { return false }
      return Files.isDirectory(split.appendingPathComponent(CIFARLayout.classNames[0]))
    }
    return hasClasses ? "image folders" : nil
  }

  /// Reads a split.
  public func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    switch location.layout {
    case "binary":
      try CIFARBinary.read(location.folder, split: split, imagesPerBatch: imagesPerBatch)
    case "python":
      try CIFARPython.read(location.folder, split: split, imagesPerBatch: imagesPerBatch)
    default:
      try readFolders(location.folder, split: split)
    }
  }

  /// JPEG changes pixels: images that went through it get a title of their own.
  private func readFolders(_ folder: URL, split: Split) throws -> ImageSet {
    let listing = try ImageFolders.scan(folder, split: split)
    try CIFARLayout.checkClassNames(listing.classNames, file: folder)
    // Counted before two seconds of decoding, not after.
    try check(listing.files.count, of: split, in: folder)
    let isLossless = listing.files.allSatisfy { $0.pathExtension.lowercased() == "png" }
    let set = try ImageFolders.decode(
      listing, name: name, title: isLossless ? title : "\(title) (JPEG copy)", split: split)
    guard set.height == CIFARLayout.side, set.width == CIFARLayout.side else {
      throw DatasetError.foreign(
        file: folder.path, expected: "images of 32×32",
        found: "images of \(set.height)×\(set.width)")
    }
    return set
  }

  /// The batch files of a layout; image folders were never published.
  public func publishedFiles(of layout: String) -> [PublishedFile] {
    archives.first { $0.layout == layout }?.files ?? []
  }

  /// Gets the binary distribution, or else the Python one.
  ///
  /// An archive that lies in the directory already is used before any is downloaded.
  public func fetch(into directory: URL, say: (String) -> Void) throws {
    if isWhole(in: directory, say: say) { return }
    try DatasetArchive.fetch(name, from: archives, origin: origin, into: directory, say: say)
  }

  /// The maker's page gives MD5 of the archives; SHA-256 and the files' MD5 are those that several
  /// other libraries check for.
  private static let official = [
    DatasetArchive(
      address: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", bytes: 170_052_171,
      digest: .sha256("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
      folder: "cifar-10-batches-bin", layout: "binary",
      files: md5([
        "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
        "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
        "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
        "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
        "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
        "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
      ]),
      extras: ["batches.meta.txt", "readme.html"]),
    DatasetArchive(
      address: "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", bytes: 170_498_071,
      digest: .sha256("6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),
      folder: "cifar-10-batches-py", layout: "python",
      files: md5([
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
      ]),
      extras: ["readme.html"]),
  ]

  private static func md5(_ files: KeyValuePairs<String, String>) -> [PublishedFile] {
    files.map { PublishedFile(name: $0.key, digest: .md5($0.value)) }
  }
}
