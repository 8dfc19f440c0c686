import Foundation

/// Folders of images, one per class: `train/CLASS/*.jpg`, `test/CLASS/*.jpg` or `val/CLASS/*.jpg`.
///
/// Classes and files are taken in the order of their names' bytes. Hidden files and files of other
/// kinds are passed over and counted.
enum ImageFolders {
  /// The files of a split, before any is read.
  struct Listing {
    var classNames: [String]
    var files: [URL] = []
    var labels: [Int] = []
    var ignored = 0
  }

  /// The splits that a folder has.
  static func splits(in root: URL) -> [Split] {
    Split.allCases.filter { folder(of: $0, in: root) != nil }
  }

  /// The folder of a split.
  ///
  /// `val` stands in for a missing `test`, and is `validation` where there is a `test` beside it: images that choose
  /// checkpoints never measure them.
  static func folder(of split: Split, in root: URL) -> URL? {
    func existing(_ name: String) -> URL? {
      let folder = root.appendingPathComponent(name)
      return Files.isDirectory(folder) ? folder : nil
    }
    switch split {
    case .train: return existing("train")
    case .test: return existing("test") ?? existing("val")
    case .validation: return existing("test") == nil ? nil : existing("val")
    }
  }

  static func scan(_ root: URL, split: Split) throws -> Listing {
    guard let folder = folder(of: split, in: root) else {
      throw DatasetError.noSuchSplit(name: root.path, split: split, available: splits(in: root))
    }
    // Labels are positions among the training classes, in every split.
    let (own, strays) = try classes(in: folder)
    let reference = split == .train ? nil : self.folder(of: .train, in: root)
    let classNames = try reference.map { try classes(in: $0).names } ?? own
    var listing = Listing(classNames: classNames, ignored: strays)
    guard !own.isEmpty else {
      throw DatasetError.empty(place: folder.path, expected: "one folder of images per class")
    }
    for name in own {
      guard let label = classNames.firstIndex(of: name) else {
        throw DatasetError.foreign(
          file: folder.appendingPathComponent(name).path,
          expected: "one of the \(classNames.count) classes of the training images",
          found: "the class “\(name)”")
      }
      try list(folder.appendingPathComponent(name), label: label, into: &listing)
    }
    return listing
  }

  private static func classes(in folder: URL) throws -> (names: [String], strays: Int) {
    let entries = try Files.names(in: folder)
    let names = entries.filter {
      !$0.hasPrefix(".") && Files.isDirectory(folder.appendingPathComponent($0))
    }
    return (names, entries.count - names.count)
  }

  private static func list(_ folder: URL, label: Int, into listing: inout Listing) throws {
    let before = listing.files.count
    for name in try Files.names(in: folder) {
      guard isImageName(name) else {
        listing.ignored += 1
        continue
      }
      listing.files.append(folder.appendingPathComponent(name, isDirectory: false))
      listing.labels.append(label)
    }
    guard listing.files.count > before else {
      throw DatasetError.empty(place: folder.path, expected: "files *.jpg, *.jpeg or *.png")
    }
  }

  private static func isImageName(_ name: String) -> Bool {
    guard !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return false }
    return ["jpg", "jpeg", "png"].contains(name[name.index(after: dot)...].lowercased())
  }

  static func decode(
    _ listing: Listing, name: String, title: String, split: Split
  ) throws -> ImageSet {
    let (pixels, height, width) = try decodeAll(listing.files)
    return ImageSet(
      name: name, title: title, split: split, height: height, width: width, channels: 3,
      classNames: listing.classNames, pixels: pixels, labels: listing.labels,
      layout: "image folders", ignoredFiles: listing.ignored)
  }
}

/// Images of one's own, by path: nobody published them, and their terms are not known.
protocol OwnData: DatasetSource {
  /// The file or folder.
  var place: URL { get }
}

extension OwnData {
  var origin: String { place.path }
  var licence: String { "your own" }
  var expectedCounts: [Split: Int] { [:] }

  /// The place itself, whatever the data directory.
  func candidates(in directory: URL) -> [URL] { [place] }

  /// Fails: one's own images are where one put them.
  func fetch(into directory: URL, say: (String) -> Void) throws {
    throw DatasetError.fetchFailed(
      name: name, reasons: ["images of one's own have no publisher"],
      remedy: advice(for: directory))
  }
}

/// One's own images: a folder with `train/CLASS/*.jpg` and `test` or `val` beside it.
struct OwnFolder: OwnData {
  let place: URL

  var name: String { Datasets.folderPrefix + title }
  var title: String { place.lastPathComponent }

  /// Image folders, where there is at least one split.
  func layout(of folder: URL) -> String? {
    ImageFolders.splits(in: folder).isEmpty ? nil : "image folders"
  }

  func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    let listing = try ImageFolders.scan(location.folder, split: split)
    return try ImageFolders.decode(listing, name: name, title: title, split: split)
  }

  func advice(for directory: URL) -> String {
    "It must hold train/CLASS/*.jpg and test/CLASS/*.jpg or val/CLASS/*.jpg (or *.png)."
  }
}
