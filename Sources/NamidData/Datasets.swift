import Foundation

/// The data sets that are known by name.
public enum Datasets {
  /// Every set, in the order of listings.
  public static let all: [any DatasetSource] = [
    FashionMNIST(),
    CIFAR10(),
    CIFAR100(),
    CIFAR100(.coarse),
    SVHN(),
    TinyImageNet(),
  ]

  /// The beginning of a name that stands for one's own images: `folder:PATH`.
  public static let folderPrefix = "folder:"

  /// The beginning of a name that stands for tensors of one's own: `file:PATH`.
  public static let filePrefix = "file:"

  /// The set that a name with a prefix stands for, or nil.
  ///
  /// - Parameter name: `folder:PATH` for a folder with `train/CLASS/*.jpg` and `test/CLASS/*.jpg` or `val/CLASS/*.jpg`,
  ///   or with `CLASS/*.jpg` alone; `file:PATH` for a safetensors or NPZ file, or NPY files, with test images and
  ///   labels; `file:TRAIN,TEST` for two of them. Options stand behind the path, as `:resize=64`.
  /// - Returns: The set, or nil where the name has no such prefix.
  public static func own(_ name: String) -> (any DatasetSource)? {
    if let text = text(of: name, after: folderPrefix) {
      let own = OwnName(text, severalPaths: false)
      return OwnArrays.isFolder(own.paths[0]) ? OwnArrays(own) : OwnFolder(own)
    }
    return text(of: name, after: filePrefix).map { OwnArrays(OwnName($0, severalPaths: true)) }
  }

  /// A name whose paths are absolute, for use in another folder; names of published sets are as they were.
  ///
  /// - Parameter name: A name that `source(named:)` knows.
  /// - Returns: The same set's name.
  public static func withAbsolutePaths(_ name: String) -> String {
    for prefix in [folderPrefix, filePrefix] {
      guard let text = text(of: name, after: prefix) else { continue }
      let own = OwnName(text, severalPaths: prefix == filePrefix)
      return prefix + own.paths.map(\.path).joined(separator: ",") + own.optionText
    }
    return name
  }

  private static func text(of name: String, after prefix: String) -> String? {
    guard name.hasPrefix(prefix), name != prefix else { return nil }
    return String(name.dropFirst(prefix.count))
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
