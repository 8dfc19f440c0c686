import Foundation
import NamidFiles
import NamidTerminal

/// Tiny-ImageNet: 110,000 colour images of 64×64 in 200 classes, a reduction of ImageNet.
///
/// Y. Le, X. Yang, "Tiny ImageNet visual recognition challenge", Stanford CS 231N, 2015. Read in its
/// official layout. The official test images have no labels: as everywhere in the field, the split
/// `test` is the folder `val`. Labels are places in the sorted list of `wnids.txt`, as in PyTorch's
/// `ImageFolder`, whatever the order of the file.
///
/// A part of the images will do as long as `wnids.txt` names the classes; its title says so.
public struct TinyImageNet: DatasetSource {
  /// `tiny-imagenet`.
  public let name = "tiny-imagenet"
  /// `Tiny-ImageNet`.
  public let title = "Tiny-ImageNet"
  /// The makers' archive.
  public let origin = "http://cs231n.stanford.edu/tiny-imagenet-200.zip (Stanford CS 231N)"
  /// The terms of the images that it was made from.
  public let licence = "none stated; ImageNet's terms: non-commercial research and education"
  /// 100,000 and 10,000 images.
  public let expectedCounts: [Split: Int]
  /// A part of the images will do.
  public let acceptsSubsets = true
  private let archive: DatasetArchive
  private let cacheFolder: URL?
  private let otherCacheFolder: URL

  static let side = 64
  static let folderName = "tiny-imagenet-200"
  private static let layout = "official folders"

  /// The set as it was published.
  ///
  /// - Parameter cacheFolder: The folder for decoded images. When nil that is the set's own folder,
  ///   and the data directory of the environment where the set's own cannot be written.
  public init(cacheFolder: URL? = nil) {
    self.init(train: 100_000, test: 10_000, cacheFolder: cacheFolder)
  }

  init(
    train: Int, test: Int, cacheFolder: URL? = nil,
    otherCacheFolder: URL = DataDirectory.standard(),
    archive: DatasetArchive = official
  ) {
    expectedCounts = [.train: train, .test: test]
    self.cacheFolder = cacheFolder
    self.otherCacheFolder = otherCacheFolder
    self.archive = archive
  }

  /// The official folder's name, `tiny-imagenet`, and the directory itself.
  public func candidates(in directory: URL) -> [URL] {
    places([Self.folderName, "\(name)/\(Self.folderName)", name, "."], in: directory)
  }

  /// `official folders` where `wnids.txt` or at least the official name is.
  public func layout(of folder: URL) -> String? {
    let isNamed =
      Files.isFile(folder.appendingPathComponent("wnids.txt"))
      || folder.lastPathComponent == Self.folderName
    let hasSplit = ["train", "val"].contains {
      Files.isDirectory(folder.appendingPathComponent($0))
    }
    return isNamed && hasSplit ? Self.layout : nil
  }

  /// Decodes the images of a split.
  public func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    let files = try list(split, in: location)
    return imageSet(split, files, pixels: try decode(files))
  }

  /// Takes the images of a split from the cache, or decodes and keeps them.
  public func read(
    _ split: Split, from location: DatasetLocation, say: (String) -> Void
  ) throws -> ImageSet {
    let files = try list(split, in: location)
    let key = try fileDigest(files.paths, below: files.root, for: "\(name) \(split.rawValue)")
    let cache = PixelCache(
      key: key, count: files.paths.count, height: Self.side, width: Self.side)
    let pixels = try cache.pixels(
      in: cacheFiles(split, of: location.folder), of: "\(title), \(split.rawValue)",
      say: say, decode: { try decode(files) })
    return imageSet(split, files, pixels: pixels)
  }

  private func list(_ split: Split, in location: DatasetLocation) throws -> TinyImageNetFiles {
    let files = try TinyImageNetFiles(split, in: location.folder)
    // Counted before seconds of decoding, not after.
    try check(files.paths.count, of: split, in: location.folder)
    return files
  }

  private func decode(_ files: TinyImageNetFiles) throws -> [UInt8] {
    let urls = files.paths.map { files.root.appendingPathComponent($0, isDirectory: false) }
    return try decodeAll(urls, size: (Self.side, Self.side)).pixels
  }

  private func imageSet(
    _ split: Split, _ files: TinyImageNetFiles, pixels: [UInt8]
  ) -> ImageSet {
    let (count, whole) = (files.paths.count, expectedCounts[split] ?? 0)
    let part = "\(title) (subset: \(thousands(count)) of \(thousands(whole)) images)"
    return ImageSet(
      name: name, title: count == whole ? title : part, split: split, height: Self.side,
      width: Self.side, channels: 3, classNames: files.classNames, pixels: pixels,
      labels: files.labels, layout: Self.layout, ignoredFiles: files.ignored)
  }

  /// The places for the decoded images of a split, best first.
  private func cacheFiles(_ split: Split, of folder: URL) -> [URL] {
    // Outside of the set's folder the name must tell one copy of the set from another.
    let place = SHA256.hexDigest(of: Data(folder.resolvingSymlinksInPath().path.utf8)).prefix(16)
    let named = "\(name)-\(split.rawValue)-\(place).pixels"
    if let cacheFolder { return [cacheFolder.appendingPathComponent(named)] }
    return [
      folder.appendingPathComponent(".namid-\(split.rawValue).pixels"),
      otherCacheFolder.appendingPathComponent(named),
    ]
  }
}

// MARK: - Fetching

extension TinyImageNet {
  /// The makers publish no checksum; length and MD5 are those that several other libraries check.
  static let official = DatasetArchive(
    address: "http://cs231n.stanford.edu/tiny-imagenet-200.zip", bytes: 248_100_043,
    digest: .md5("90528d7ca1a48142e341f4ef8d21d0de"), folder: folderName, layout: layout)

  /// Writes advice to fetch the set, to unpack it, or to name its folder.
  public func advice(for directory: URL) -> String {
    "Fetch \(name) into \(directory.path), or \(byHand(in: directory)), or name the directory where "
      + "it lies."
  }

  private func byHand(in directory: URL) -> String {
    "download \(archive.address) and unpack it with "
      + "“unzip -q \(archive.fileName) -d \(directory.path)”"
  }

  /// Gets the archive from its makers and unpacks it with `unzip`.
  ///
  /// An archive that lies in the directory already is used before it is downloaded. A folder that
  /// is there and not whole is left alone: it may be somebody's subset.
  public func fetch(into directory: URL, say: (String) -> Void) throws {
    let target = directory.appendingPathComponent(Self.folderName)
    let present = locate(in: directory)?.folder
    if let folder = present ?? (Files.isDirectory(target) ? target : nil) {
      if let reason = whyNotWhole(folder) {
        throw DatasetError.fetchFailed(
          name: name, reasons: ["\(folder.path) is there and not the whole set: \(reason)"],
          remedy: "It was left as it is. Move it away to get the whole set, or use it as it is.")
      }
      say("\(name): is in \(folder.path) already")
      return
    }
    let origins = DatasetArchive.origins(of: [archive], in: directory) { folder in
      if let reason = whyNotWhole(folder) { throw Command.Failure(description: reason) }
    }
    try Fetching.run(
      name, from: origins, into: directory,
      remedy: """
        By hand: \(byHand(in: directory)).
        Without unzip, “python3 -m zipfile -e \(archive.fileName) \(directory.path)” does the same.
        """,
      say: say)
  }

  private func whyNotWhole(_ folder: URL) -> String? {
    for split in [Split.train, .test] {
      do {
        let count = try TinyImageNetFiles(split, in: folder).paths.count
        if let whole = expectedCounts[split], count != whole {
          return "\(thousands(count)) of \(thousands(whole)) images in \(split.rawValue)"
        }
      } catch {
        return "\(error)"
      }
    }
    return nil
  }
}
