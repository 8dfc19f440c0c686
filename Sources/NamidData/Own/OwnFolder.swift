import Foundation
import NamidFiles

/// One's own images: a folder with `train/CLASS/*.jpg` and `test` or `val` beside it, or with `CLASS/*.jpg` alone.
///
/// A folder of classes alone is divided by a draw that depends on the list of files and a seed: every class gives the
/// same share to the test images.
struct OwnFolder: OwnData {
  let place: URL
  let name: String
  var title: String { place.lastPathComponent }
  private let fault: DatasetError?
  private let options: Options
  /// The folder that keeps scaled images.
  private let cacheFolder: URL

  private struct Options {
    var preparation = ImagePreparation()
    var seed = 0
    /// Test images of a folder without splits, in percent.
    var test = 20

    static let known = ["resize", "fit", "background", "test", "seed"]

    init() {}

    init(_ name: OwnName) throws {
      try name.check(known: Self.known)
      preparation.side = try name.number("resize", in: 4...1024)
      if let text = name.options["fit"] {
        guard let fit = ImagePreparation.Fit(rawValue: text) else {
          throw DatasetError.badOption(option: "fit=\(text)", expected: "crop, pad or stretch")
        }
        guard preparation.side != nil else {
          throw DatasetError.badOption(option: "fit=\(text)", expected: "resize=N beside it")
        }
        preparation.fit = fit
      }
      if let text = name.options["background"] {
        guard let colour = Colour(text) else {
          throw DatasetError.badOption(
            option: "background=\(text)", expected: "white, black, gray or six hexadecimal digits")
        }
        preparation.background = colour
      }
      seed = try name.number("seed", in: 0...Int(Int32.max)) ?? 0
      test = try name.number("test", in: 1...99) ?? 20
    }
  }

  init(_ name: OwnName, cacheFolder: URL = DataDirectory.standard()) {
    place = name.paths[0]
    self.name = Datasets.folderPrefix + place.lastPathComponent + name.optionText
    self.cacheFolder = cacheFolder
    do {
      options = try Options(name)
      fault = nil
    } catch {
      options = Options()
      fault = error as? DatasetError
    }
  }

  /// The fault of the name; or what is missing in a folder that is there.
  var problem: DatasetError? {
    guard fault == nil, Files.isDirectory(place), layout(of: place) == nil else { return fault }
    let names = ((try? Files.names(in: place)) ?? []).filter { !$0.hasPrefix(".") }
    return .unfit(
      file: place.path,
      problem: "it has neither train and test (or val) nor two folders of images, one for each "
        + "class; it has \(names.isEmpty ? "nothing" : firstOf(names))",
      remedy: advice(for: place))
  }

  /// Image folders with splits, or of classes alone.
  func layout(of folder: URL) -> String? {
    if !ImageFolders.splits(in: folder).isEmpty { return "image folders" }
    return ImageFolders.flatClasses(in: folder).isEmpty ? nil : Self.flat
  }

  private static let flat = "class folders"

  func splits(in location: DatasetLocation) throws -> [Split] {
    location.layout == Self.flat ? [.train, .test] : ImageFolders.splits(in: location.folder)
  }

  var preparation: String? {
    let flat = layout(of: place) == Self.flat
    return "\(options.preparation)"
      + (flat
        ? "; \(options.test) % of each class are test images, drawn with seed \(options.seed)" : "")
  }

  func contents(
    of split: Split, at location: DatasetLocation, say: (String) -> Void
  ) throws -> SplitContents {
    let listing = try listing(split, location, say)
    return SplitContents(
      split: split, classNames: listing.classNames, counts: listing.counts,
      ignoredFiles: listing.ignored)
  }

  func read(
    _ split: Split, from location: DatasetLocation, say: (String) -> Void
  ) throws -> ImageSet {
    let listing = try listing(split, location, say)
    ImageFolders.report(listing, of: name, say: say)
    try checkOverlap(split, listing, location, say)
    let decoded = try decode(listing, split, location.folder, say)
    return ImageFolders.imageSet(listing, decoded, name: name, title: title, split: split)
  }

  private func listing(
    _ split: Split, _ location: DatasetLocation, _ say: (String) -> Void
  ) throws -> ImageFolders.Listing {
    guard location.layout == Self.flat else {
      return try ImageFolders.scan(location.folder, split: split, say: say)
    }
    guard split != .validation else {
      throw DatasetError.noSuchSplit(name: name, split: split, available: [.train, .test])
    }
    var listing = try ImageFolders.scanFlat(location.folder)
    let all = listing.files.count
    let wanted = min(max(1, (all * options.test + 50) / 100), all - 1)
    let test = stratifiedDraw(
      wanted, of: listing.labels, classCount: listing.classNames.count, seed: UInt64(options.seed))
    let isTest = Set(test)
    let chosen = split == .test ? test : listing.files.indices.filter { !isTest.contains($0) }
    listing.files = chosen.map { listing.files[$0] }
    listing.labels = chosen.map { listing.labels[$0] }
    return listing
  }

  /// Refuses test images that are all training images, file by file.
  private func checkOverlap(
    _ split: Split, _ listing: ImageFolders.Listing, _ location: DatasetLocation,
    _ say: (String) -> Void
  ) throws {
    let available = try splits(in: location)
    guard available.contains(.train) else { return }
    for other in available where other != .train && (split == .train || split == other) {
      let train = split == .train ? listing : try self.listing(.train, location) { _ in }
      let images = split == other ? listing : try self.listing(other, location) { _ in }
      try ImageOverlap(filesOf: images.files, with: train.files).check(name, other, say: say)
    }
  }

  private func decode(
    _ listing: ImageFolders.Listing, _ split: Split, _ root: URL, _ say: (String) -> Void
  ) throws -> DecodedFiles {
    let preparation = options.preparation
    guard let side = preparation.side else {
      let decoded = try decodeAll(listing.files, preparation: preparation)
      decoded.notes.report(of: name, say: say)
      return decoded
    }
    // Scaling takes long, and its result depends on the preparation: both are in the key.
    let purpose = "\(Datasets.folderPrefix)\(split.rawValue) \(preparation.key)"
    let folder = root.path + "/"
    let key = try fileDigest(
      listing.files.map { String($0.path.dropFirst(folder.count)) }, below: root, for: purpose)
    let cache = PixelCache(key: key, count: listing.files.count, height: side, width: side)
    let place = SHA256.hexDigest(of: Data("\(folder)\0\(purpose)".utf8)).prefix(16)
    let pixels = try cache.pixels(
      in: [cacheFolder.appendingPathComponent("folder-\(split.rawValue)-\(place).pixels")],
      of: "\(name), \(split.rawValue)", say: say
    ) {
      let decoded = try decodeAll(listing.files, size: (side, side), preparation: preparation)
      decoded.notes.report(of: name, say: say)
      return decoded.pixels
    }
    return DecodedFiles(pixels: pixels, height: side, width: side, notes: DecodingNotes())
  }

  func advice(for directory: URL) -> String {
    "It must hold train/CLASS/*.jpg and test/CLASS/*.jpg or val/CLASS/*.jpg (or *.png), "
      + "or CLASS/*.jpg alone, of which a part is drawn for testing."
  }
}

extension ImageOverlap {
  /// Looks for files whose bytes are those of other files; only files of equal length are read.
  init(filesOf images: [URL], with others: [URL]) throws {
    func sizes(_ files: [URL]) -> [Int] {
      files.map { file in
        var status = stat()
        return stat(file.path, &status) == 0 ? Int(status.st_size) : -1
      }
    }
    let (imageSizes, otherSizes) = (sizes(images), sizes(others))
    let common = Set(imageSizes).intersection(otherSizes)
    var known: [String: Int] = [:]
    for (index, file) in others.enumerated() where common.contains(otherSizes[index]) {
      let digest = try SHA256.hexDigest(ofFileAt: file)
      known[digest] = known[digest] ?? index
    }
    var (places, first): ([Int], Int?) = ([], nil)
    for (index, file) in images.enumerated() where common.contains(imageSizes[index]) {
      guard let other = known[try SHA256.hexDigest(ofFileAt: file)] else { continue }
      places.append(index)
      first = first ?? other
    }
    self.init(count: images.count, places: places, firstOther: first)
  }
}
