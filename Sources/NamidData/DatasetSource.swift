import Foundation

/// A data set that can be found by name: where it comes from, how its files look, how to get them.
///
/// A new set is one type that conforms to this protocol and one line in `Datasets.all`.
public protocol DatasetSource: Sendable {
  /// The name for command lines, such as `cifar10`.
  var name: String { get }
  /// The name for people, such as `CIFAR-10`.
  var title: String { get }
  /// The page of its makers.
  var origin: String { get }
  /// The terms of use, in a few words.
  var licence: String { get }
  /// The number of images of each split; empty where that is not known.
  var expectedCounts: [Split: Int] { get }
  /// True where a part of the images will do; the set then says in its title that it is a part.
  var acceptsSubsets: Bool { get }

  /// Folders that may hold the set, most likely first.
  func candidates(in directory: URL) -> [URL]
  /// The layout of the files in a folder; nil where the set is not there.
  func layout(of folder: URL) -> String?
  /// Reads a split from a folder that has a layout, file by file.
  func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet
  /// Reads a split from what an earlier reading kept, where there is such a thing.
  func read(
    _ split: Split, from location: DatasetLocation, say: (String) -> Void
  ) throws -> ImageSet
  /// The files that were published in a layout, with their checksums; none where there are none.
  func publishedFiles(of layout: String) -> [PublishedFile]
  /// The remedy where the set is not there.
  func advice(for directory: URL) -> String
  /// Gets the set from its makers or a distributor and puts it under a directory.
  func fetch(into directory: URL, say: (String) -> Void) throws
}

/// A folder with a data set in it.
public struct DatasetLocation: Sendable, Equatable, CustomStringConvertible {
  /// The folder of the files.
  public let folder: URL
  /// The layout of the files there.
  public let layout: String

  /// Names a folder and its layout.
  public init(folder: URL, layout: String) {
    self.folder = folder
    self.layout = layout
  }

  /// The folder, and the layout in brackets.
  public var description: String { "\(folder.path) (\(layout))" }
}

extension DatasetSource {
  /// Writes advice to fetch the set, or to name its folder.
  public func advice(for directory: URL) -> String {
    "Fetch \(name) into \(directory.path), or name the directory where it lies."
  }

  /// The folder that holds the set, or nil.
  public func locate(in directory: URL) -> DatasetLocation? {
    for folder in candidates(in: directory) {
      if let layout = layout(of: folder) {
        return DatasetLocation(folder: folder, layout: layout)
      }
    }
    return nil
  }

  /// False: the set must be complete.
  public var acceptsSubsets: Bool { false }

  /// None: the makers published no checksums of files.
  public func publishedFiles(of layout: String) -> [PublishedFile] { [] }

  /// Folders of some names in a directory; `.` is the directory itself.
  func places(_ names: [String], in directory: URL) -> [URL] {
    names.map { directory.appendingPathComponent($0).standardizedFileURL }
  }

  /// One line for each thing that is known of the set without reading it, and where it lies.
  ///
  /// - Parameter directory: The data directory, or the set's own folder.
  /// - Returns: Name, counts, origin, licence and place.
  public func summary(in directory: URL) -> String {
    let counts = Split.allCases.compactMap { split in
      expectedCounts[split].map { "\($0) \(split.rawValue)" }
    }
    return [
      "\(name): \(title)",
      "  images   " + (counts.isEmpty ? "as many as there are" : counts.joined(separator: ", ")),
      "  origin   \(origin)",
      "  licence  \(licence)",
      "  here     \(locate(in: directory)?.description ?? "not found")",
    ].joined(separator: "\n")
  }

  /// Reads the files: most sets are read so fast that there is nothing to keep.
  public func read(
    _ split: Split, from location: DatasetLocation, say: (String) -> Void
  ) throws -> ImageSet {
    try read(split, from: location)
  }

  /// Finds the set and reads a split of it.
  ///
  /// - Parameters:
  ///   - split: The part to read.
  ///   - directory: The data directory, or the set's own folder.
  ///   - say: Takes one line of news at a time.
  /// - Returns: The images.
  /// - Throws: `DatasetError`, also when the number of images is not what it must be.
  public func load(
    _ split: Split, in directory: URL, say: (String) -> Void = { _ in }
  ) throws -> ImageSet {
    let location = try find(in: directory)
    return try counted(split, in: location) { try read(split, from: location, say: say) }
  }

  /// The folder that holds the set, or an error that says where it was looked for.
  func find(in directory: URL) throws -> DatasetLocation {
    if let location = locate(in: directory) { return location }
    throw DatasetError.missing(
      what: title, lookedIn: candidates(in: directory).map(\.path),
      remedy: advice(for: directory))
  }

  /// Reads a split and counts its images.
  func counted(
    _ split: Split, in location: DatasetLocation, read: () throws -> ImageSet
  ) throws -> ImageSet {
    guard expectedCounts.isEmpty || expectedCounts[split] != nil else {
      throw DatasetError.noSuchSplit(
        name: name, split: split, available: Split.allCases.filter { expectedCounts[$0] != nil })
    }
    let set = try read()
    try check(set.count, of: split, in: location.folder)
    return set
  }

  /// Refuses a number of images that the split cannot have.
  func check(_ count: Int, of split: Split, in folder: URL) throws {
    guard let expected = expectedCounts[split], count != expected else { return }
    if acceptsSubsets, count < expected { return }
    throw DatasetError.wrongCount(
      what: "\(folder.path), \(split.rawValue),", expected: expected, found: count)
  }
}
