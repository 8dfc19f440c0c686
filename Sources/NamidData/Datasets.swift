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
    /// The path after a prefix; a relative one starts at the current directory, `~` is the home directory.
    func place(after prefix: String) -> URL? {
      guard name.hasPrefix(prefix), name != prefix else { return nil }
      let path = String(name.dropFirst(prefix.count))
      return URL(fileURLWithPath: (path as NSString).expandingTildeInPath).standardizedFileURL
    }
    if let folder = place(after: folderPrefix) { return OwnFolder(place: folder) }
    return place(after: filePrefix).map { OwnTensors(place: $0) }
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
