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
  private let archives: [CIFARArchive]

  /// The set as it was published.
  public init() { self.init(imagesPerBatch: 10_000, archives: CIFARArchive.official) }

  package init(imagesPerBatch: Int, archives: [CIFARArchive] = []) {
    self.imagesPerBatch = imagesPerBatch
    self.archives = archives
  }

  /// 50,000 and 10,000 images.
  public var expectedCounts: [Split: Int] { [.train: 5 * imagesPerBatch, .test: imagesPerBatch] }

  /// The official folder names, `cifar10`, and the directory itself.
  public func candidates(in directory: URL) -> [URL] {
    let official = ["cifar-10-batches-bin", "cifar-10-batches-py"]
    return (official + ["cifar10"] + official.map { "cifar10/\($0)" } + ["."]).map {
      directory.appendingPathComponent($0).standardizedFileURL
    }
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
    let waiting = archives.filter {
      Files.isFile(directory.appendingPathComponent($0.fileName))
    }
    let origins =
      waiting.map { $0.origin(at: directory.appendingPathComponent($0.fileName), in: directory) }
      + archives.map { $0.origin(at: nil, in: directory) }
    let first = archives.first
    try Fetching.run(
      name, from: origins, into: directory,
      remedy: """
        By hand: download \(first?.address ?? origin)
        on a machine that can reach it, put the file into \(directory.path) as it is, and run this \
        again: it will be checked and unpacked.
        """,
      say: say)
  }
}
