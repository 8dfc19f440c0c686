import Foundation

/// The data sets that are known by name.
public enum Datasets {
  /// Every set, in the order of listings.
  public static let all: [any DatasetSource] = [
    FashionMNIST(),
    CIFAR10(),
    TinyImageNet(),
  ]

  /// The beginning of a name that stands for one's own images: `folder:PATH`.
  public static let folderPrefix = "folder:"

  /// The beginning of a name that stands for tensors of one's own: `file:PATH`.
  public static let filePrefix = "file:"

  /// The set that a name with a prefix stands for, or nil.
  ///
  /// - Parameter name: `folder:PATH` for a folder with `train/CLASS/*.jpg` and `test/CLASS/*.jpg` or `val/CLASS/*.jpg`,
  ///   `file:PATH` for a safetensors file with images and labels.
  /// - Returns: The set, or nil where the name has no such prefix.
  public static func own(_ name: String) -> (any DatasetSource)? {
    if name.hasPrefix(folderPrefix), name.count > folderPrefix.count {
      return OwnFolder(path: String(name.dropFirst(folderPrefix.count)))
    }
    if name.hasPrefix(filePrefix), name.count > filePrefix.count {
      return OwnTensors(path: String(name.dropFirst(filePrefix.count)))
    }
    return nil
  }

  /// The set of a name.
  ///
  /// - Parameter name: A name in `all`, or one that `own(_:)` knows.
  /// - Returns: The set.
  /// - Throws: `DatasetError.unknownName` with the nearest names.
  public static func source(named name: String) throws -> any DatasetSource {
    if let own = own(name) { return own }
    guard let source = all.first(where: { $0.name == name }) else {
      throw DatasetError.unknownName(name, among: all)
    }
    return source
  }

  /// Reads a split of a set into memory.
  ///
  /// - Parameters:
  ///   - name: A name that `source(named:)` knows.
  ///   - split: The part to read.
  ///   - directory: The data directory, under which every set has its place; it may also be the
  ///     set's own folder.
  ///   - folder: The set's own folder, where it is not to be looked for in the directory.
  ///   - say: Takes one line of news at a time: what takes long, and what of an earlier
  ///     reading could not be used.
  /// - Returns: The images.
  /// - Throws: `DatasetError` that says what was expected, what was found and what to do.
  public static func load(
    _ name: String, split: Split, directory: URL, folder: URL? = nil,
    say: (String) -> Void = { _ in }
  ) throws -> ImageSet {
    try source(named: name).load(split, in: folder ?? directory, say: say)
  }

  /// Gets a set and puts it under a directory; what is there and whole is left alone.
  ///
  /// - Parameters:
  ///   - name: A name in `all`.
  ///   - directory: The data directory; made where it is missing.
  ///   - say: Takes one line of news at a time.
  /// - Throws: `DatasetError.fetchFailed` with what to do by hand.
  public static func fetch(
    _ name: String, into directory: URL, say: (String) -> Void = { _ in }
  ) throws {
    try source(named: name).fetch(into: directory, say: say)
  }

  /// Reads a whole set and compares its files with the published ones.
  ///
  /// - Parameters:
  ///   - name: A name that `source(named:)` knows.
  ///   - directory: The data directory.
  ///   - say: Takes one line of news at a time.
  /// - Returns: The findings, good and bad.
  /// - Throws: `DatasetError` when there is no such set.
  public static func verify(
    _ name: String, in directory: URL, say: (String) -> Void = { _ in }
  ) throws -> Verification {
    try source(named: name).verify(in: directory, say: say)
  }

  /// The facts about a set that are known without reading its images.
  ///
  /// - Parameters:
  ///   - name: A name that `source(named:)` knows.
  ///   - directory: The data directory.
  /// - Returns: Origin, licence, counts and where it lies.
  /// - Throws: `DatasetError.unknownName`.
  public static func info(_ name: String, in directory: URL) throws -> DatasetInfo {
    DatasetInfo(of: try source(named: name), in: directory)
  }
}

/// The facts about a data set that are known without reading its images.
public struct DatasetInfo: Sendable, CustomStringConvertible {
  /// The name for command lines.
  public let name: String
  /// The name for people.
  public let title: String
  /// The origin of the set.
  public let origin: String
  /// The terms of use.
  public let licence: String
  /// The number of images of each split; empty where that is not known.
  public let expectedCounts: [Split: Int]
  /// The folder of the set; nil where it was not found.
  public let location: DatasetLocation?

  /// The facts about a set, and where it lies.
  public init(of source: any DatasetSource, in directory: URL) {
    name = source.name
    title = source.title
    origin = source.origin
    licence = source.licence
    expectedCounts = source.expectedCounts
    location = source.locate(in: directory)
  }

  /// One line for each thing that is known.
  public var description: String {
    let counts = Split.allCases.compactMap { split in
      expectedCounts[split].map { "\($0) \(split.rawValue)" }
    }
    let place = location.map { "\($0.folder.path) (\($0.layout))" } ?? "not found"
    return [
      "\(name): \(title)",
      "  images   " + (counts.isEmpty ? "as many as there are" : counts.joined(separator: ", ")),
      "  origin   \(origin)",
      "  licence  \(licence)",
      "  here     \(place)",
    ].joined(separator: "\n")
  }
}

/// The folder for data sets where none is named.
public enum DataDirectory {
  /// `NAMID_DATA`, else `namid/data` in `XDG_CACHE_HOME`, else in `.cache` of the home directory.
  ///
  /// - Parameter environment: The environment's variables.
  /// - Returns: The folder, which may not exist yet.
  public static func standard(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> URL {
    if let folder = environment["NAMID_DATA"], !folder.isEmpty { return URL(filePath: folder) }
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : URL(filePath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache")
    return cache.appending(path: "namid/data")
  }
}
