import Foundation
import NamidTerminal

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
  /// The splits that a folder with a layout has.
  func splits(in location: DatasetLocation) throws -> [Split]
  /// The preparation of the pixels, for people; nil where they are as they come from disk.
  var preparation: String? { get }
  /// The numbers of images of each class, where possible without decoding.
  func contents(
    of split: Split, at location: DatasetLocation, say: (String) -> Void
  ) throws -> SplitContents
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

/// The images of a split, counted by class.
public struct SplitContents: Sendable, Equatable, CustomStringConvertible {
  /// The split.
  public var split: Split
  /// The names of the classes.
  public var classNames: [String]
  /// The number of images of each class.
  public var counts: [Int]
  /// The number of files beside the images that are passed over.
  public var ignoredFiles = 0

  /// The number of images.
  public var count: Int { counts.reduce(0, +) }

  /// Split, number of images, and numbers by class; of many classes the least and the most.
  public var description: String {
    let name = split.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
    var text = "\(name) \(thousands(count)) images, \(classNames.count) classes"
    let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
    if least == most {
      text += " of \(thousands(least)) images each"
    } else if classNames.count <= 20 {
      text +=
        ": " + zip(classNames, counts).map { "\($0) \(thousands($1))" }.joined(separator: ", ")
    } else {
      let least = counts.firstIndex(of: least) ?? 0
      let most = counts.firstIndex(of: most) ?? 0
      text += ", from \(thousands(counts[least])) (\(classNames[least])) "
      text += "to \(thousands(counts[most])) (\(classNames[most]))"
    }
    return text + (ignoredFiles == 0 ? "" : "; \(thousands(ignoredFiles)) other files passed over")
  }
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

  /// Those with an expected number of images; where none is known, those that are there as folders.
  public func splits(in location: DatasetLocation) throws -> [Split] {
    expectedCounts.isEmpty
      ? ImageFolders.splits(in: location.folder)
      : Split.allCases.filter { expectedCounts[$0] != nil }
  }

  /// Nil: pixels are as they come from disk.
  public var preparation: String? { nil }

  /// Reads a split and counts its images by class.
  public func contents(
    of split: Split, at location: DatasetLocation, say: (String) -> Void
  ) throws -> SplitContents {
    let set = try read(split, from: location, say: say)
    return SplitContents(
      split: split, classNames: set.classNames, counts: set.classCounts,
      ignoredFiles: set.ignoredFiles)
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
    ].joined(separator: "\n") + (preparation.map { "\n  pixels   \($0)" } ?? "")
  }

  /// The summary, and for each split that is here the number of images of each class.
  ///
  /// - Parameters:
  ///   - directory: The data directory, or the set's own folder.
  ///   - say: Takes one line of news at a time.
  /// - Returns: The lines of the summary and a line for each split.
  /// - Throws: `DatasetError` where the set is there and cannot be read.
  public func details(in directory: URL, say: (String) -> Void = { _ in }) throws -> String {
    if let problem = (self as? any OwnData)?.problem { throw problem }
    guard let location = locate(in: directory) else { return summary(in: directory) }
    let lines = try splits(in: location).map { split in
      do {
        return try contents(of: split, at: location, say: say).description
      } catch let error as DatasetError {
        // A published set may be here in part; one's own images are all meant to be used.
        if expectedCounts.isEmpty { throw error }
        return "\(split.rawValue): \(error)"
      }
    }
    return ([summary(in: directory)] + lines.map { "  \($0)" }).joined(separator: "\n")
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
    if let problem = (self as? any OwnData)?.problem { throw problem }
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
