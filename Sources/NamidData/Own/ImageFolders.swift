import Foundation

/// Folders of images, one per class: `train/CLASS/*.jpg`, `test/CLASS/*.jpg` or `val/CLASS/*.jpg`, or `CLASS/*.jpg`.
///
/// Classes and files are taken in the order of their names' bytes. Hidden files and files that are no images are
/// passed over and counted; images of kinds that are not read are refused.
enum ImageFolders {
  /// The files of a split, before any is read.
  struct Listing {
    var classNames: [String]
    var files: [URL] = []
    var labels: [Int] = []
    /// The number of files that are passed over.
    var ignored = 0
    /// Those among them that nobody hides, by the endings of their names.
    var endings: [String: Int] = [:]
    /// Images of kinds that are not read.
    var unread: [URL] = []
    /// Classes without images.
    var empty: [URL] = []

    /// The numbers of images of each class.
    var counts: [Int] {
      labels.reduce(into: [Int](repeating: 0, count: classNames.count)) { $0[$1] += 1 }
    }
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

  static func scan(_ root: URL, split: Split, say: (String) -> Void = { _ in }) throws -> Listing {
    guard let folder = folder(of: split, in: root) else {
      throw DatasetError.noSuchSplit(name: root.path, split: split, available: splits(in: root))
    }
    // Labels are positions among the training classes, in every split.
    let own = try classes(in: folder)
    let reference = split == .train ? nil : self.folder(of: .train, in: root)
    let classNames = try reference.map { try classes(in: $0).names } ?? own.names
    var listing = Listing(classNames: classNames, ignored: own.strays, endings: own.endings)
    guard !own.names.isEmpty else {
      throw DatasetError.empty(place: folder.path, expected: "one folder of images per class")
    }
    let strangers = own.names.filter { !classNames.contains($0) }
    guard strangers.isEmpty else {
      throw DatasetError.foreign(
        file: folder.path,
        expected: "only the \(classNames.count) classes of the training images, "
          + firstOf(classNames),
        found: firstOf(strangers.map { "“\($0)”" }))
    }
    let absent = classNames.filter { !own.names.contains($0) }
    if !absent.isEmpty { say("\(folder.path) has no images of \(firstOf(absent))") }
    for (label, name) in classNames.enumerated() where own.names.contains(name) {
      try list(folder.appendingPathComponent(name), label: label, into: &listing)
    }
    try check(listing)
    return listing
  }

  // MARK: - Without folders for splits

  /// The classes of a folder that has images in at least two folders and none for splits; else none.
  static func flatClasses(in root: URL) -> [String] {
    guard splits(in: root).isEmpty, let names = try? classes(in: root).names else { return [] }
    let withImages = names.filter { name in
      let folder = root.appendingPathComponent(name)
      return (try? Files.names(in: folder))?.contains { ImageName($0) == .readable } ?? false
    }
    return withImages.count < 2 ? [] : withImages
  }

  /// All images of such a folder.
  static func scanFlat(_ root: URL) throws -> Listing {
    let names = flatClasses(in: root)
    let all = try classes(in: root)
    var listing = Listing(
      classNames: names, ignored: all.strays + all.names.count - names.count,
      endings: all.endings)
    for (label, name) in names.enumerated() {
      try list(root.appendingPathComponent(name), label: label, into: &listing)
    }
    try check(listing)
    return listing
  }

  // MARK: - Names

  /// The kind of file that a name stands for.
  private enum ImageName {
    case readable
    case unread
    case hidden
    case other

    init(_ name: String) {
      switch Self.ending(of: name) {
      case _ where name.hasPrefix(".") || ["Thumbs.db", "desktop.ini"].contains(name):
        self = .hidden
      case "jpg", "jpeg", "png": self = .readable
      case "webp", "bmp", "gif", "tif", "tiff", "heic", "heif", "avif", "jp2", "jxl", "ppm", "pgm":
        self = .unread
      default: self = .other
      }
    }

    static func ending(of name: String) -> String? {
      name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
    }
  }

  private static func classes(
    in folder: URL
  ) throws -> (names: [String], strays: Int, endings: [String: Int]) {
    let entries = try Files.names(in: folder)
    let names = entries.filter {
      !$0.hasPrefix(".") && Files.isDirectory(folder.appendingPathComponent($0))
    }
    var endings: [String: Int] = [:]
    for entry in entries where !names.contains(entry) && ImageName(entry) != .hidden {
      endings[ImageName.ending(of: entry) ?? "", default: 0] += 1
    }
    let strange = Files.strangeNames(in: folder)
    guard strange.isEmpty else {
      throw DatasetError.unfit(
        file: folder.path, problem: "names that are not UTF-8: \(firstOf(strange))",
        remedy: "Rename them.")
    }
    return (names, entries.count - names.count, endings)
  }

  private static func list(_ folder: URL, label: Int, into listing: inout Listing) throws {
    let (files, unread) = (listing.files.count, listing.unread.count)
    let strange = Files.strangeNames(in: folder).count
    listing.ignored += strange
    if strange > 0 { listing.endings["not UTF-8", default: 0] += strange }
    for name in try Files.names(in: folder) {
      let place = folder.appendingPathComponent(name, isDirectory: false)
      switch ImageName(name) {
      case .readable:
        listing.files.append(place)
        listing.labels.append(label)
      case .unread: listing.unread.append(place)
      case .hidden: listing.ignored += 1
      case .other:
        listing.ignored += 1
        listing.endings[ImageName.ending(of: name) ?? "", default: 0] += 1
      }
    }
    if (listing.files.count, listing.unread.count) == (files, unread) {
      listing.empty.append(folder)
    }
  }

  /// Refuses classes without images, and images that cannot be read, all in one message.
  private static func check(_ listing: Listing) throws {
    if !listing.unread.isEmpty {
      let counts = Dictionary(grouping: listing.unread) { $0.pathExtension.lowercased() }
      let kinds = counts.keys.sorted().map { "\(counts[$0]?.count ?? 0) .\($0)" }
      let count = listing.unread.count
      throw DatasetError.unfit(
        file: listing.unread[0].deletingLastPathComponent().deletingLastPathComponent().path,
        problem: "\(count) \(count == 1 ? "image is" : "images are") of kinds that are not read: "
          + kinds.joined(separator: ", ") + "; " + firstOf(listing.unread.map(\.path)),
        remedy: "Convert them to PNG, as with ImageMagick's “mogrify -format png FILE”, "
          + "and move the originals away.")
    }
    guard let first = listing.empty.first else { return }
    let places = firstOf(listing.empty.map(\.path))
    let hasFolders = (try? Files.names(in: first))?.contains {
      Files.isDirectory(first.appendingPathComponent($0))
    }
    throw DatasetError.empty(
      place: places,
      expected: "files *.jpg, *.jpeg or *.png"
        + (hasFolders == true ? " directly in it, not in folders below" : ""))
  }

  /// Says how many files were passed over, and of which kinds, where they were not hidden.
  static func report(_ listing: Listing, of name: String, say: (String) -> Void) {
    let count = listing.endings.values.reduce(0, +)
    guard count > 0 else { return }
    let kinds = listing.endings.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5)
      .map { $0.key.isEmpty ? "without an ending" : $0.key == "not UTF-8" ? $0.key : ".\($0.key)" }
    say(
      "\(name): \(count) other \(count == 1 ? "file is" : "files are") passed over "
        + "(\(kinds.joined(separator: ", ")))")
  }

  static func decode(
    _ listing: Listing, name: String, title: String, split: Split
  ) throws -> ImageSet {
    let decoded = try decodeAll(listing.files)
    return imageSet(listing, decoded, name: name, title: title, split: split)
  }

  static func imageSet(
    _ listing: Listing, _ decoded: DecodedFiles, name: String, title: String, split: Split
  ) -> ImageSet {
    ImageSet(
      name: name, title: title, split: split, height: decoded.height, width: decoded.width,
      channels: 3, classNames: listing.classNames, pixels: decoded.pixels, labels: listing.labels,
      layout: "image folders", ignoredFiles: listing.ignored)
  }
}

/// The first ten of a list, and how many more there are.
func firstOf(_ items: [String]) -> String {
  let shown = items.prefix(10).joined(separator: ", ")
  return items.count > 10 ? "\(shown) and \(items.count - 10) more" : shown
}
